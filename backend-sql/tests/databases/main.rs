//! The backend on real databases, each started by the test itself.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod mysql;
mod pgbouncer;
mod postgres;
mod process;
mod sqlite;
mod store;

/// Runs as another process when a test starts it so; see `process`.
#[test]
fn a_process_of_its_own() {
    process::perform();
}
