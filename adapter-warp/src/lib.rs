//! Maintenance mode for [warp](https://docs.rs/warp): closes a site safely and opens it again.
//!
//! ```no_run
//! use maintenance_mode::Maintenance;
//! use maintenance_mode_warp::MaintenanceFilters;
//! use warp::Filter;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let maintenance = MaintenanceFilters::new(Maintenance::from_file("maintenance.toml").await?);
//!     let hello = warp::path!("hello" / String).map(|name| format!("Hello, {name}!"));
//!     warp::serve(maintenance.guard(hello)).run(([127, 0, 0, 1], 8080)).await;
//!     Ok(())
//! }
//! ```
//!
//! From then on `maintenance on` and `maintenance off`, or [`Maintenance::on`] and
//! [`Maintenance::off`], close and open the site, unknown paths included.
//!
//! - [`MaintenanceFilters`]: the filter around the application, with who asks and logging out; routes that
//!   are always open or always closed; the status of the site for a banner.
//! - [`Verdict`]: what was decided, in the extensions of every response whose request was decided about
//!   while something was closed or planned. A guard extracts a
//!   [`Response`](warp::reply::Response), so `.map(|response| …)` behind it can read it.
//! - [`log`]: an access log that has the verdict of each response.
//!
//! # Order of filters
//!
//! From inside to outside:
//!
//! 1. [`guard`](MaintenanceFilters::guard) around all routes at once. It decides before a route is looked
//!    for, so unknown paths are closed, too. Several guards beside each other, `guard(a).or(guard(b))`,
//!    are a mistake: the first of them answers for all paths.
//! 2. Routes that are open or closed in every mode, beside the guard and before it, each behind its path:
//!    `warp::path("hooks").and(maintenance.force_off(hooks)).or(maintenance.guard(routes))`. Inside of the
//!    guard nothing would come to them while the site is closed.
//! 3. `recover`, inside or outside as you like: maintenance answers, and never rejects. What is outside
//!    sees your own rejections exactly as without maintenance.
//! 4. `with(warp::cors())`. The engine answers preflights itself only for the origins in `[answer]`; a CORS
//!    filter outside lets pages read the 503 as they read every other response.
//! 5. Loggers and `with(warp::trace(…))`, so that they see the answers. `warp::log` sees the status and
//!    nothing else of a response; [`log`] has the verdict, and
//!    [`maintenance_mode::logging`] tells how spans do.
//!
//! # What warp makes of it
//!
//! - A filter behind another one is cloned for each request, as warp always does it: by `guard`, the routes
//!   once more. Let them share by `Arc` what is expensive to clone.
//! - A path matches with a slash behind it, too: `warp::path!("open")` is `/open/` as well. Forced routes
//!   hold for every form that warp routes there, because they stand behind its own path filter. Path rules of
//!   the configuration compare the path as it was sent.
//! - Behind prefixes, rules see the whole path.
//!
//! # What is counted
//!
//! A request is in flight from the moment that the guard gets it until its response body has ended or was
//! dropped: after an error, a panic or a client that went away, too. A rejection ends it at the guard; what
//! `recover` does outside is not counted. Where a handler is stopped because its client went away, the count
//! ends right before the handler's future is dropped and not after it: warp keeps what a filter has extracted
//! in front of the next filter's future. The body of a reply that is text, JSON or bytes counts until the
//! last clone of its bytes is dropped: a cache outside of the guard must copy them.
//!
//! While every site is online and no route is forced on, a request pays an atomic flag, its count, and what
//! warp demands for a body that counts. That body is a closed box, and can be made of bytes or of a stream
//! only. So a reply of bytes takes two allocations (their owner, and the box of the new body), a stream
//! takes one (the box), and a reply without a body, or a rejection, none. No filter is boxed, and no field
//! is cloned. While something is closed or planned, the head of each request is cloned.
//!
//! # Served by hyper or within tower
//!
//! `warp::service(routes)` is a tower service. There, either use these filters, and leave each connection's
//! `SocketAddr` in the request's extensions; or wrap the service into `MaintenanceLayer` of the crate
//! `maintenance-mode-tower`, which borrows what it decides by, sees the target whole, counts a handler until
//! it is dropped, and boxes nothing. It knows no routes of warp, so nothing can be forced there but by path.
//!
//! # What cannot be done from here
//!
//! - **The target's host**: where a request names one host in its target (or `:authority`) and another one in
//!   `Host`, warp shows neither that of the target nor that they differ by a port alone. Such a request is
//!   closed as long as any site is closed.
//! - **Upgraded connections**: hyper hands them to the application past every filter. A handler that wants
//!   its WebSocket counted holds `maintenance.in_flight().enter().upgrade()` as long as it runs.
//! - **Open connections**: WebSockets and streams that are open when the site closes go on. Close them by
//!   [`Maintenance::changed`].
//! - **Unread request bodies**: a blocked upload is answered at once, and [`Drain`] says what becomes of the
//!   rest. Without a length it cannot be known that a body is long: then the connection ends unannounced.
//! - **Targets without a path**: `warp::path::full` panics for `CONNECT shop.example:443` and for
//!   `GET shop.example` (warp 0.4.3), so a site that is open loses such a connection where it uses that filter
//!   itself. Nothing here uses it.
//! - **Malformed requests**: what hyper refuses (400) never comes here. It never reaches the application
//!   either.
//!
//! [`Maintenance::on`]: maintenance_mode::Maintenance::on
//! [`Maintenance::off`]: maintenance_mode::Maintenance::off
//! [`Maintenance::changed`]: maintenance_mode::Maintenance::changed

mod admissions;
mod counted;
mod filters;
mod gate;
mod handed;
mod head;
mod log;
mod peek;
mod routes;

pub use filters::MaintenanceFilters;
pub use head::Head;
pub use log::{Line, log};
pub use maintenance_mode::Verdict;
pub use maintenance_mode::http::Drain;
pub use routes::Routes;
