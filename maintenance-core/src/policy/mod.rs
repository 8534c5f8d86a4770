//! What the application's author configures: exemptions, answers, sites, proxies.

mod complaint;

pub use complaint::{Complaint, Complaints};
