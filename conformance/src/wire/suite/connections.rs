//! Several requests on one connection.

use std::time::Duration;

use super::{offline, shown};
use crate::backend_suite::Broken;
use crate::ensure;
use crate::wire::{Subject, request};

/// Pipelined requests are answered in order, blocked and exempt ones mixed.
///
/// # Errors
///
/// What was not kept.
pub fn answers_pipelined_requests_in_order(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    let mut connection = site.connect()?;
    let targets = ["/", "/healthz", "/nowhere", "/healthz", "/always-open", "/"];
    let bytes: Vec<u8> = targets
        .iter()
        .flat_map(|target| request("GET", target, &[], ""))
        .collect();
    connection.send(&bytes)?;
    for target in targets {
        let response = connection.response("GET")?;
        let open = matches!(target, "/healthz" | "/always-open");
        let fits = if open {
            response.status == 200
        } else {
            response.is_closed()
        };
        ensure!(fits, "{target}: {}", shown(&response));
    }
    Ok(())
}

/// Blocked requests without bodies leave the connection open.
///
/// # Errors
///
/// What was not kept.
pub fn keeps_a_connection_alive(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    let mut connection = site.connect()?;
    for number in 0..20 {
        connection.send(&request("GET", "/", &[], ""))?;
        let response = connection.response("GET")?;
        ensure!(
            response.is_closed(),
            "request {number}: {}",
            shown(&response)
        );
        ensure!(
            !response.has_token("connection", "close"),
            "request {number}: {}",
            shown(&response)
        );
    }
    Ok(())
}

/// `Connection: close` is obeyed.
///
/// # Errors
///
/// What was not kept.
pub fn closes_a_connection_when_asked_to(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    let mut connection = site.connect()?;
    connection.send(&request("GET", "/", &[("Connection", "close")], ""))?;
    let response = connection.response("GET")?;
    ensure!(response.is_closed(), "{}", shown(&response));
    ensure!(
        connection.is_closed_within(Duration::from_secs(5))?,
        "the connection stays open"
    );
    Ok(())
}
