//! The suites that every backend and every adapter passes. Not published.

pub mod backend_suite;
#[cfg(unix)]
pub mod databases;
pub mod in_flight;
pub mod in_process;
pub mod log;
pub mod presence_suite;
pub mod server;
pub mod vectors;
pub mod wire;
