//! What is measured: scenarios that run an operation many times, and the tools to count and to time them.
//!
//! `cargo xtask bench` runs the programs of this package and judges what they print.

pub mod allocations;
pub mod load;
pub mod process;
pub mod scenarios;
pub mod sites;
pub mod timing;

/// What went wrong, for people.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;
