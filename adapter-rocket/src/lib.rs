//! Maintenance mode for [Rocket](rocket): closes a site safely and opens it again.
//!
//! ```no_run
//! use maintenance_mode::Maintenance;
//! use maintenance_mode_rocket::MaintenanceFairing;
//!
//! #[rocket::get("/")]
//! fn hello() -> &'static str {
//!     "Hello!"
//! }
//!
//! #[rocket::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let maintenance = Maintenance::from_file("maintenance.toml").await?;
//!     rocket::build()
//!         .attach(MaintenanceFairing::new(maintenance))
//!         .mount("/", rocket::routes![hello])
//!         .launch()
//!         .await?;
//!     Ok(())
//! }
//! ```
//!
//! From then on `maintenance on` and `maintenance off`, or [`Maintenance::on`] and
//! [`Maintenance::off`], close and open the site, unknown paths included.
//!
//! - [`MaintenanceFairing`]: the fairing, with who asks, and logging out.
//! - [`force_off`], [`force_on`], [`control`]: routes that are always open, always closed, or the
//!   operator's way in. [`ForcedOn`]: a request guard that closes one handler.
//! - [`MaintenanceStatus`]: a request guard with what the site does now, for a banner.
//! - [`Verdict`]: what was decided, for loggers and metrics.
//!
//! # How it works
//!
//! A Rocket fairing cannot answer a request, and one that rewrites it to a route of its own hides from
//! handlers, logs and other fairings what was asked, and opens that route to the world. So this fairing
//! mounts one route for each of Rocket's nine methods, before all others, that matches every path. It
//! answers, or forwards the request as if it were not there: catchers for 404 and 422, `HEAD` that is
//! answered by a `GET` route, wildcard routes and data guards do what they did. The launch print lists
//! the nine routes, and at the log level `normal` each request logs that one of them forwarded it.
//! Ranks of [`isize::MIN`]` / 2` and below are this crate's: give your routes none of them.
//!
//! # Order of fairings
//!
//! The decision is made after all request fairings. Response fairings see the answers like every other
//! response, with [`Verdict::of`] beside them. A fairing that changes the request's path or method changes
//! what rules see. Rocket's `Shield`, which is attached by default, adds its fields
//! (`X-Content-Type-Options`, `X-Frame-Options`, `Permissions-Policy`) to the answers, and Rocket adds
//! `Server`; neither replaces a field of an answer.
//!
//! CORS fairings that answer preflights by a route do not answer them on a closed site: the engine does,
//! for the origins in `[answer]`. A response fairing that adds CORS fields lets pages read the 503 as they
//! read every other response.
//!
//! # What rules see
//!
//! Rocket routes `//open`, `/open/` and `/%6fpen` to `/open`. A path rule must admit both the path on the
//! wire and the one that is routed, in which a slash at the end stays: the exact `/open` does not admit
//! `/open/`. Routes that are closed by [`force_on`] are closed in every spelling.
//! A form's `_method` changes the method: rules see both. The peer is the socket's
//! ([`Request::remote`](rocket::Request::remote)); never
//! [`Request::client_ip`](rocket::Request::client_ip), which believes `X-Real-IP` from anybody.
//!
//! # What is counted
//!
//! A request is in flight from the end of the request fairings until Rocket is done with it: its response
//! has been handed to the connection to the last byte, or the client went away while it was written, or
//! something panicked. Rocket never cancels a handler whose client has left; it runs on, and counts on.
//! An upgraded connection counts as such until its handler returns.
//!
//! While every site is online, a request costs three allocations: Rocket boxes what every route's handler
//! returns, and its request-local cache, the only place where a route can leave something, takes a table
//! and a box. An application that uses the cache itself pays for the table anyway. That Rocket asks one
//! more route costs about 1 800 instructions, whatever the route does, mostly for moving the outcome; counting
//! and the check of the switch, with the cache, cost about 650.
//!
//! # What cannot be done from here
//!
//! - **Bodies that come late**: Rocket reads the first 14 bytes of every request's body before any fairing
//!   and route, to look for `_method`. So a client that waits for `100 Continue` is told to go on, and one
//!   that announces a body and sends nothing gets no answer.
//! - **Unknown methods, bad targets**: what Rocket cannot parse, the methods `QUERY` and `PROPFIND` among it,
//!   is answered by the catcher for 400, past fairings and routes. No handler sees it.
//! - **The absolute form**: Rocket keeps nothing of `http://host/` but the path. Rules for hosts see the
//!   `Host` field, and so does the application.
//! - **Fields that are not UTF-8** are dropped by Rocket, with a warning. To rules they are absent.
//! - **Open connections**: WebSockets and streams that are open when the site closes go on. Close them by
//!   [`Maintenance::changed`].
//!
//! [`Maintenance::on`]: maintenance_mode::Maintenance::on
//! [`Maintenance::off`]: maintenance_mode::Maintenance::off
//! [`Maintenance::changed`]: maintenance_mode::Maintenance::changed

mod facts;
mod fairing;
mod functions;
mod gate;
mod guards;
mod passage;
mod reply;
mod routes;
mod verdict;

pub use fairing::MaintenanceFairing;
pub use guards::{ForcedOn, MaintenanceStatus, Refused};
pub use routes::{control, force_off, force_on};
pub use verdict::Verdict;
