//! Closes a website safely and opens it again: the engine.

pub mod answer;
#[cfg(feature = "live")]
pub mod backend;
pub mod client_ip;
mod course;
mod decide;
mod decision;
pub mod explain;
pub mod host;
mod identity;
#[cfg(feature = "live")]
pub mod live;
pub mod path;
pub mod policy;
pub mod request;
mod snapshot;
pub mod state;
mod time;

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
