//! What the application's author configures: exemptions, answers, sites, proxies.

mod address;
mod complaint;
pub(crate) mod method;
pub(crate) mod paths;

pub use address::AddressSet;
pub use complaint::{Complaint, Complaints};
pub use paths::PathRuleConfig;
