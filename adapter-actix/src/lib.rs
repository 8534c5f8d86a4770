//! Maintenance mode for [actix-web](actix_web): closes a site safely and opens it again.
//!
//! ```no_run
//! use actix_web::{App, HttpServer};
//! use maintenance_mode::Maintenance;
//! use maintenance_mode_actix::MaintenanceMw;
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let maintenance = Maintenance::from_file("maintenance.toml").await?;
//!     let server = HttpServer::new(move || {
//!         App::new()
//!             .app_data(maintenance.clone()) // for the `MaintenanceStatus` extractor
//!             .wrap(MaintenanceMw::new(maintenance.clone()))
//!     });
//!     server.bind(("127.0.0.1", 8080))?.run().await?;
//!     Ok(())
//! }
//! ```
//!
//! From then on `maintenance on` and `maintenance off`, or [`Maintenance::on`] and
//! [`Maintenance::off`], close and open the site, unknown paths included.
//!
//! - [`MaintenanceMw`]: the middleware, with routes that are always open or always closed, who asks, and
//!   logging out.
//! - [`MaintenanceStatus`]: an extractor with what the site does now, for a banner.
//! - [`Verdict`]: what was decided, for loggers and metrics.
//!
//! # Order of layers
//!
//! actix runs the layer that is wrapped *last* first. Seen from outside:
//!
//! 1. Loggers, so that they see the answers: `Logger` with the verdict, see [`Verdict`]. The answers carry
//!    `X-Maintenance: 1`, so `%{x-maintenance}o` tells maintenance from a fault even without it. For
//!    loggers that make spans there is the engine's filter, see [`maintenance_mode::logging`].
//! 2. CORS. The engine answers preflights itself only for the origins in `[answer]`; a CORS layer outside
//!    lets pages read the 503 as they read every other response.
//! 3. `NormalizePath`, if routes are known by name: paths that it rewrites further in come past
//!    [`force_on_named`](MaintenanceMw::force_on_named). Exemptions then see the rewritten path.
//! 4. Session middleware, if `identify` needs what it leaves with the request. It runs for blocked
//!    requests, too.
//! 5. [`MaintenanceMw`].
//! 6. Everything that costs something: compression, rate limits, the application.
//!
//! Wrap the whole `App`. A middleware on a scope sees only what is routed to the scope; everything else,
//! unknown paths among it, stays as it was. Rules always see the full original path, on a scope as well:
//! actix does not cut off a scope's prefix. Where an escaped path is routed to the same resource as a
//! plain one (`/%61dmin` and `/admin`), a path rule must admit both.
//!
//! # What is counted
//!
//! A request is in flight from its arrival until its response body has ended or was dropped: after an
//! error, a panic or a client that went away, too. An upgraded connection (101) counts as such until its
//! body is dropped. A response that another middleware makes from an `Err` of the application is not
//! waited for, since its body is made outside; nor is a body that such a middleware has collected.
//! Counting, the check of the switch and handing over the response cost about 300 instructions and no
//! allocation while every site is online.
//!
//! # What cannot be done from here
//!
//! - **`Expect: 100-continue`**: actix's expect handler runs before any middleware and sends
//!   `100 Continue`, so a client of a closed site sends its body all the same, and reads its answer then.
//!   `HttpServer` offers no way to change that.
//! - **Unread request bodies**: a blocked upload is answered at once. actix adds `Connection: close`, then
//!   reads and discards what still comes for at most
//!   [`client_disconnect_timeout`](actix_web::HttpServer::client_disconnect_timeout) (1 second unless
//!   changed), so that the client can read its answer. With a timeout of 0 the connection is reset instead,
//!   and clients may lose the answer: leave it on.
//! - **Chunked bodies that stop**: after an early answer actix reads a chunked body to its end, however long
//!   that takes: no timer runs. Nothing is counted meanwhile; a proxy in front ends such connections.
//! - **HTTP/2 streams that are reset**: actix runs each handler as a task, which goes on when its client gives
//!   the stream up or loses the connection. The request is counted until the handler ends.
//! - **Malformed requests**: what actix's parser refuses (400) never comes here. It never reaches the
//!   application either.
//! - **Open connections**: WebSockets and streams that are open when the site closes go on. Close them by
//!   [`Maintenance::changed`].
//!
//! [`Maintenance::on`]: maintenance_mode::Maintenance::on
//! [`Maintenance::off`]: maintenance_mode::Maintenance::off
//! [`Maintenance::changed`]: maintenance_mode::Maintenance::changed
#![allow(
    clippy::future_not_send,
    reason = "actix keeps a connection on one thread"
)]

mod answer;
mod body;
mod facts;
mod future;
mod middleware;
mod routes;
mod service;
mod status;
mod verdict;
mod visitor;

pub use body::MaintenanceBody;
pub use future::ResponseFuture;
pub use middleware::MaintenanceMw;
pub use service::MaintenanceService;
pub use status::{MaintenanceStatus, MissingMaintenance};
pub use verdict::Verdict;
