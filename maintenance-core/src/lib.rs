//! Closes a website safely and opens it again: the engine behind every adapter.
//!
//! A [`Policy`] is what the application's author configured, a [`State`] what operators change at run
//! time. Both compiled together are a [`Snapshot`], which decides about requests: [`Facts`] in,
//! [`Decision`] out, without I/O, clock or allocation. [`Maintenance`] keeps a snapshot up to date from a
//! backend and gives it to every request for the price of an atomic load.
//!
//! Whoever uses actix-web, Rocket, warp, poem or tower takes the adapter for it. Whoever has a stack of
//! his own calls [`Maintenance::decide`] himself:
//!
//! ```
//! # #[cfg(feature = "live")]
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use maintenance_mode::{Config, Decision, Facts, Maintenance, On, Peer, SiteName};
//!
//! let config = Config::new().backend("memory:").allow_address("192.0.2.0/24");
//! let maintenance = Maintenance::start(config).await?;
//! maintenance.on(&[SiteName::default()], &On::default()).await?;
//!
//! let headers = [("host", "shop.example"), ("accept", "text/html")];
//! let facts = Facts::new("GET", "/cart").headers(&headers).peer(Peer::Addr("203.0.113.9".parse()?));
//!
//! let running = maintenance.in_flight().enter(); // counted before the decision, see `live::InFlight`
//! if let Decision::Block(block) = maintenance.decide(&facts) {
//!     drop(running);
//!     let answer = block.answer(&facts);
//!     assert_eq!(answer.status(), 503);
//!     assert!(answer.body().starts_with(b"<!doctype html>"));
//! } else {
//!     // Handle the request, and keep `running` until its body has been sent.
//! }
//! # Ok(()) }
//! # #[cfg(not(feature = "live"))] fn main() {}
//! ```
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | what is known of a request | [`request`] |
//! | the decision, its steps and reasons | [`Snapshot::decide`], [`Decision`], [`Reason`], [`explain`] |
//! | rules for paths, addresses, hosts | [`path`], [`client_ip`], [`host`], [`policy`] |
//! | what a blocked visitor gets | [`answer`] |
//! | modes, windows, the stored record | [`state`] |
//! | where the record is kept | [`backend`] |
//! | the live switch and its verbs | [`live`] |
//! | who is inside, what is running | [`presence`] |
//! | logs and alarms that know a 503 of maintenance | [`logging`] |
//!
//! # Features
//!
//! - `live` (default): the live handle, the memory and file backends and the watcher. Needs tokio.
//! - `watch` (default): sees changes of a file at once by a directory watch; without it, by polling.
//! - `http`: for stacks on the `http` crate, see `http`: facts, responses, [`Headers`] for `http::HeaderMap`.
//! - `tracing-subscriber`: a filter for logs ([`logging`]).
//!
//! Without features the engine is pure and needs no runtime.

#![warn(clippy::future_not_send)]

pub mod answer;
#[cfg(feature = "live")]
pub mod backend;
pub mod client_ip;
mod course;
mod decide;
mod decision;
pub mod explain;
pub mod host;
#[cfg(feature = "http")]
pub mod http;
mod identity;
#[cfg(feature = "live")]
pub mod live;
pub mod logging;
pub mod path;
pub mod policy;
#[cfg(feature = "live")]
pub mod presence;
pub mod request;
mod snapshot;
pub mod state;
mod time;
mod verdict;

pub use answer::{Answer, AnswerConfig, Notice};
pub use client_ip::{ClientIp, ClientIpConfig};
pub use decide::{Outcome, Step};
pub use decision::{Allow, Block, Decision, Reason};
pub use identity::Identity;
#[cfg(feature = "live")]
pub use live::{Maintenance, Off, On};
pub use policy::{Config, PathRuleConfig, Policy};
pub use request::{
    Facts, Headers, NoHeaders, Peer, ProxyHeader, RouteOverride, Single, User, Visitor,
};
pub use snapshot::{SiteView, Snapshot};
pub use state::{Mode, SiteName, State};
pub use time::{Timestamp, TimestampError};
pub use verdict::{Admission, RequestStatus, Verdict};
