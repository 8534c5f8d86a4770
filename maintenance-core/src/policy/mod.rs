//! What the application's author configures: exemptions, answers, sites, proxies.
//!
//! [`Config`] is the form that people write, [`Policy`] the compiled form. A policy is immutable; what
//! operators change at run time is the [`crate::state`].

mod address;
mod allow;
mod compiled;
mod complaint;
pub mod config;
mod header;
pub(crate) mod method;
pub(crate) mod paths;
pub(crate) mod sites;

pub use address::AddressSet;
pub(crate) use compiled::SitePolicy;
pub use compiled::{CustomPredicate, Policy, PolicyBuilder};
pub use complaint::{Complaint, Complaints};
pub use config::Config;
pub use paths::{PathRuleConfig, PathRuleTable};
