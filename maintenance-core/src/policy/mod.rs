//! What the application's author configures: exemptions, answers, sites, proxies.

mod complaint;
pub(crate) mod method;
pub(crate) mod paths;

pub use complaint::{Complaint, Complaints};
pub use paths::PathRuleConfig;
