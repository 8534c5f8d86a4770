//! Telling the answers of maintenance from failures, in logs and alarms: response by response, not "while a
//! site is closed".
//!
//! A blocked request is no failure, but its 503 looks like one. Adapters leave these signs; each takes what
//! his log can use:
//!
//! - the field `X-Maintenance: 1` of the response, for proxies, load balancers and text logs;
//! - the [`Verdict`](crate::Verdict) in the response's extensions, for loggers that are middleware;
//! - an event of level `DEBUG` with the target [`TARGET`] and the fields `maintenance` (the code of the
//!   [`Reason`]), `site`, `method` and `path` (without the query);
//! - the reason's code in the field [`FIELD`] of the span that is current, if that span has such a field:
//!   `info_span!("request", maintenance = tracing::field::Empty)`. Every line that is logged in it then says
//!   `maintenance="offline"`.
#![cfg_attr(
    feature = "tracing-subscriber",
    doc = "",
    doc = "[`MaintenanceFilter`] keeps the lines about such responses out of a layer of `tracing-subscriber`."
)]
//!
//! What the application itself answers, be it 503 and the site half closed, bears none of these signs.
//! Whoever calls the engine without an adapter leaves the last two by [`blocked`].

use crate::decision::{Block, Reason};
use crate::request::Facts;

#[cfg(feature = "tracing-subscriber")]
mod filter;

#[cfg(feature = "tracing-subscriber")]
pub use filter::MaintenanceFilter;

/// The target of the event that tells of a blocked request.
pub const TARGET: &str = "maintenance_mode::blocked";

/// The field of events and spans that holds the code of the reason.
pub const FIELD: &str = "maintenance";

/// Tells `tracing` that the request is blocked: an event, and the reason in the current span.
///
/// Adapters call it. Whoever has a stack of his own calls it where he makes the answer, in the span of the
/// request. Where nothing listens it costs a few atomic loads.
pub fn blocked(block: &Block<'_>, facts: &Facts<'_>) {
    let reason = block.reason.code();
    tracing::debug!(
        target: TARGET,
        maintenance = reason,
        site = %block.site(),
        method = facts.method,
        path = facts.path,
        "blocked"
    );
    tracing::Span::current().record(FIELD, reason);
}

/// Whether this is the code of a reason to block.
#[must_use]
pub fn is_blocking(code: &str) -> bool {
    Reason::BLOCKING.iter().any(|reason| reason.code() == code)
}
