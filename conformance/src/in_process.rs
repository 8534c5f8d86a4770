//! What every adapter promises, asked by its framework's own test client. The checks are named by the rows
//! of the list of what the project must be able to do.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use maintenance_mode::{Config, Maintenance, Mode, SiteName};

use crate::backend_suite::{Broken, broken};
use crate::ensure;
use crate::wire::Response;

/// One request without a body.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: &'static str,
    /// Names, in lower case, and values.
    pub fields: &'static [(&'static str, &'static str)],
}

impl Ask {
    const fn home(method: &'static str, fields: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            method,
            path: "/",
            fields,
        }
    }
}

/// Makes a test of each check: `in_process_suite!(#[tokio::test] site, see)`.
///
/// `async fn site(Maintenance) -> S` makes a site behind the adapter, with a handler at `/` that answers 200
/// and nothing at `/nowhere`. `async fn see(&S, Ask) -> Response` asks it.
#[macro_export]
macro_rules! in_process_suite {
    (#[$test:meta] $site:path, $see:path) => {
        $crate::in_process_suite!(@closed #[$test] $site, $see;
            b10_grpc_gets_a_status, b10_websockets_are_refused, b10_event_sources_come_back,
            b10_other_origins_see_the_answer);
        $crate::in_process_suite!(@switched #[$test] $site, $see;
            d20_a_block_forces_a_mode, d20_a_guard_forces_a_mode);
    };
    (@closed #[$test:meta] $site:path, $see:path; $($check:ident),+) => {
        $(#[$test]
        async fn $check() -> Result<(), $crate::backend_suite::Broken> {
            let maintenance = $crate::in_process::maintenance(Some($crate::in_process::CLOSED));
            let site = $site(maintenance.await?).await;
            $crate::in_process::$check(async |ask| $see(&site, ask).await).await
        })+
    };
    (@switched #[$test:meta] $site:path, $see:path; $($check:ident),+) => {
        $(#[$test]
        async fn $check() -> Result<(), $crate::backend_suite::Broken> {
            let maintenance = $crate::in_process::maintenance(None).await?;
            let site = $site(maintenance.clone()).await;
            $crate::in_process::$check(&maintenance, async |ask| $see(&site, ask).await).await
        })+
    };
}

/// The mode of a site that stays closed.
pub const CLOSED: Mode = Mode::Offline;

/// A handle with its own memory, pinned to a mode if one is given.
///
/// # Errors
///
/// It could not be started.
pub async fn maintenance(pinned: Option<Mode>) -> Result<Maintenance, Broken> {
    let config = Config::new().backend("memory:");
    let config = match pinned {
        Some(mode) => config.mode(mode),
        None => config,
    };
    let started = Maintenance::start(config).await;
    started.map_err(|error| broken(error.to_string()))
}

/// A closed site answers a gRPC call with its status in the head alone.
///
/// # Errors
///
/// What was not kept.
pub async fn b10_grpc_gets_a_status(closed: impl AsyncFn(Ask) -> Response) -> Result<(), Broken> {
    const CALL: Ask = Ask {
        method: "POST",
        path: "/shop.Cart/Add",
        fields: &[("content-type", "application/grpc"), ("te", "trailers")],
    };
    let response = closed(CALL).await;
    let is_status = response.status == 200 && response.field("grpc-status") == Some("14");
    ensure!(is_status && response.is_maintenance(), "{response:?}");
    ensure!(
        response.field("content-type") == Some("application/grpc"),
        "{response:?}"
    );
    ensure!(response.field("connection").is_none(), "{response:?}");
    ensure!(response.body.is_empty(), "{response:?}");
    Ok(())
}

/// A closed site refuses a WebSocket before it is one.
///
/// # Errors
///
/// What was not kept.
pub async fn b10_websockets_are_refused(
    closed: impl AsyncFn(Ask) -> Response,
) -> Result<(), Broken> {
    const UPGRADE: Ask = Ask::home(
        "GET",
        &[
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ],
    );
    let response = closed(UPGRADE).await;
    ensure!(response.is_closed(), "{response:?}");
    ensure!(response.field("upgrade").is_none(), "{response:?}");
    Ok(())
}

/// A closed site tells an `EventSource`, and when to come back; any status but 200 would make a browser
/// give up for good.
///
/// # Errors
///
/// What was not kept.
pub async fn b10_event_sources_come_back(
    closed: impl AsyncFn(Ask) -> Response,
) -> Result<(), Broken> {
    let response = closed(Ask::home("GET", &[("accept", "text/event-stream")])).await;
    let content_type = response.field("content-type").unwrap_or_default();
    let is_stream = response.status == 200 && content_type.starts_with("text/event-stream");
    ensure!(is_stream && response.is_maintenance(), "{response:?}");
    let text = response.text();
    let tells = text.starts_with("retry: ") && text.contains("\nevent: maintenance\n");
    ensure!(tells, "{text}");
    Ok(())
}

/// A closed site lets scripts of other origins see its 503, preflight and all.
///
/// # Errors
///
/// What was not kept.
pub async fn b10_other_origins_see_the_answer(
    closed: impl AsyncFn(Ask) -> Response,
) -> Result<(), Broken> {
    const ORIGIN: (&str, &str) = ("origin", "https://app.example");
    const ASKS: (&str, &str) = ("access-control-request-method", "PUT");
    let preflight = closed(Ask::home("OPTIONS", &[ORIGIN, ASKS])).await;
    let may = preflight.has_token("access-control-allow-methods", "PUT");
    ensure!(preflight.status == 204 && may, "{preflight:?}");
    let response = closed(Ask::home("PUT", &[ORIGIN])).await;
    ensure!(response.is_closed(), "{response:?}");
    let may = response.field("access-control-allow-origin").is_some()
        && response.has_token("access-control-expose-headers", "X-Maintenance");
    ensure!(may, "{response:?}");
    Ok(())
}

/// [`Maintenance::force`] closes or opens a site for a block, and puts it back, also after a panic.
///
/// # Errors
///
/// What was not kept.
pub async fn d20_a_block_forces_a_mode(
    maintenance: &Maintenance,
    ask: impl AsyncFn(Ask) -> Response,
) -> Result<(), Broken> {
    let default = SiteName::default();
    let home = async || ask(Ask::home("GET", &[])).await.status;
    let nowhere = Ask {
        path: "/nowhere",
        ..Ask::home("GET", &[])
    };
    let block = async { (home().await, ask(nowhere).await.status) };
    let seen = maintenance.force(&default, Mode::Offline, block).await?;
    ensure!(seen == (503, 503), "in the block: {seen:?}");
    let after = (home().await, ask(nowhere).await.status);
    ensure!(after == (200, 404), "after the block: {after:?}");

    let block = async {
        let seen = home().await;
        std::panic::resume_unwind(Box::new(seen));
    };
    let forced = maintenance.force(&default, Mode::Offline, block);
    let Err(panic) = AssertUnwindSafe(forced).catch_unwind().await else {
        return Err(broken("the panic of a block was swallowed"));
    };
    let seen = panic.downcast_ref::<u16>();
    ensure!(seen == Some(&503), "in the block that panics: {seen:?}");
    let after = home().await;
    ensure!(after == 200, "after the panic: {after}");

    let closed = async {
        let opened = maintenance.force(&default, Mode::Online, home()).await;
        (opened.ok(), home().await)
    };
    let seen = maintenance.force(&default, Mode::Offline, closed).await?;
    ensure!(seen == (Some(200), 503), "opened within a block: {seen:?}");
    let after = home().await;
    ensure!(after == 200, "at the end: {after}");
    Ok(())
}

/// [`Maintenance::force_guard`] closes a site until the guard is given back, or dropped.
///
/// # Errors
///
/// What was not kept.
pub async fn d20_a_guard_forces_a_mode(
    maintenance: &Maintenance,
    ask: impl AsyncFn(Ask) -> Response,
) -> Result<(), Broken> {
    let default = SiteName::default();
    let home = async || ask(Ask::home("GET", &[])).await.status;
    let guard = maintenance.force_guard(&default, Mode::Offline).await?;
    let seen = home().await;
    ensure!(seen == 503, "under the guard: {seen}");
    guard.end().await?;
    let after = home().await;
    ensure!(after == 200, "after the guard: {after}");

    drop(maintenance.force_guard(&default, Mode::Offline).await?);
    // A dropped guard puts the mode back in a task of its own.
    let opens = async {
        while home().await != 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let opened = tokio::time::timeout(Duration::from_secs(5), opens).await;
    ensure!(opened.is_ok(), "closed after the guard was dropped");
    Ok(())
}
