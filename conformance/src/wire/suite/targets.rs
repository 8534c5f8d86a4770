//! Request lines as they come.

use super::{offline, shown};
use crate::backend_suite::Broken;
use crate::ensure;
use crate::wire::{Site, Subject};

/// HTTP/1.0 without `Host` is blocked like every other request.
///
/// # Errors
///
/// What was not kept.
pub fn answers_http_1_0_without_host(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    let mut connection = site.connect()?;
    connection.send(b"GET / HTTP/1.0\r\n\r\n")?;
    let response = connection.response("GET")?;
    ensure!(response.is_closed(), "{}", shown(&response));
    Ok(())
}

/// The absolute form is read by path and authority.
///
/// # Errors
///
/// What was not kept.
pub fn answers_the_absolute_form(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "[allow]\npaths = [\"/\"]\n")?;
    let open = site.get("http://localhost/")?;
    ensure!(open.status == 200, "an exempt path: {}", shown(&open));
    let closed = site.get("http://localhost/login")?;
    ensure!(closed.is_closed(), "another path: {}", shown(&closed));
    if !subject.framework.keeps_authority {
        return Ok(());
    }

    let config = "backend = \"memory:\"\n[sites.shop]\nhosts = [\"shop.example\"]\nmode = \"offline\"\n\
                  [sites.blog]\nhosts = [\"blog.example\"]\n";
    let site = Site::start(subject.program(), config)?;
    for (authority, host) in [
        ("shop.example", "blog.example"),
        ("blog.example", "shop.example"),
    ] {
        let target = format!("http://{authority}/");
        let response = site.ask("GET", &target, &[("Host", host)], "")?;
        ensure!(
            response.is_closed(),
            "{target} with Host: {host} came past: {}",
            shown(&response)
        );
    }
    Ok(())
}

/// `OPTIONS *` is blocked, unless a rule names it.
///
/// # Errors
///
/// What was not kept.
pub fn answers_the_asterisk_form(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    let closed = site.ask("OPTIONS", "*", &[], "")?;
    ensure!(closed.is_closed(), "{}", shown(&closed));
    let site = offline(subject, "[allow]\npaths = [{ asterisk = true }]\n")?;
    let open = site.ask("OPTIONS", "*", &[], "")?;
    ensure!(!open.is_maintenance(), "exempt: {}", shown(&open));
    Ok(())
}

/// Methods that nobody knows do not reach the application.
///
/// # Errors
///
/// What was not kept.
pub fn answers_unknown_methods(subject: &Subject) -> Result<(), Broken> {
    let site = offline(subject, "")?;
    for method in ["FOO", "get", "QUERY", "PROPFIND"] {
        let response = site.ask(method, "/", &[], "")?;
        let refused = !subject.framework.knows_all_methods && response.status == 400;
        ensure!(
            response.is_closed() || refused,
            "{method}: {}",
            shown(&response)
        );
    }
    Ok(())
}

/// A route that is forced on is closed in every spelling that the router accepts.
///
/// # Errors
///
/// What was not kept.
pub fn closes_forced_routes_in_every_spelling(subject: &Subject) -> Result<(), Broken> {
    let site = Site::start(subject.program(), "backend = \"memory:\"\n")?;
    for spelling in [
        "/always-closed",
        "/%61lways-closed",
        "/always%2Dclosed",
        "/always%2dclosed?x=1",
        "http://localhost/%61lways-closed",
        "//always-closed",
        "/always-closed/",
        "/./always-closed",
        "/x/../always-closed",
        "/ALWAYS-CLOSED",
    ] {
        let response = site.get(spelling)?;
        let reached = response.text().contains("Nobody should ever read this");
        ensure!(!reached, "{spelling} reached the handler");
    }
    let escaped = site.get("/%61lways-closed")?;
    let expected = if subject.framework.decodes_paths {
        503
    } else {
        404
    };
    ensure!(escaped.status == expected, "escaped: {}", shown(&escaped));
    Ok(())
}
