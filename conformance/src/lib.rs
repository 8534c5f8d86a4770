//! The suites that every backend and every adapter passes. Not published.

pub mod backend_suite;
#[cfg(unix)]
pub mod databases;
pub mod in_flight;
pub mod in_memory;
pub mod in_process;
pub mod log;
pub mod object_server;
pub mod presence_suite;
#[cfg(unix)]
pub mod process;
pub mod server;
pub mod vectors;
pub mod wire;
