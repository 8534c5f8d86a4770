//! Closes a website safely and opens it again: the engine.

pub mod answer;
#[cfg(feature = "live")]
pub mod backend;
pub mod client_ip;
mod decision;
pub mod host;
pub mod path;
pub mod policy;
pub mod request;
pub mod state;
mod time;

pub use decision::Reason;
pub use request::{
    Facts, Headers, NoHeaders, Peer, ProxyHeader, RouteOverride, Single, User, Visitor,
};
pub use state::{Mode, SiteName, State};
pub use time::{Timestamp, TimestampError};
