//! What is fuzzed: one function for each parser of foreign bytes.
//!
//! The functions take any bytes and panic when something that must hold does not. libFuzzer calls them
//! (`fuzz/fuzz_targets/`), and so does the plain runner of this crate, which needs no nightly toolchain.
//! Inputs are lines of text where that can be, so that the vectors can be seeds and a failure can be read.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a target says that something does not hold"
)]

pub mod accept;
pub mod client_ip;
pub mod config;
mod fields;
pub mod host;
pub mod path;
pub mod request;
pub mod request_line;
pub mod rules;
pub mod state;

/// One target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, also of its seeds' folder.
    pub name: &'static str,
    /// Panics if something that must hold does not hold for these bytes.
    pub run: fn(&[u8]),
    /// Pieces of text that mean something there.
    pub words: &'static [&'static str],
}

/// Every target.
pub const TARGETS: [Target; 9] = [
    accept::TARGET,
    client_ip::TARGET,
    config::TARGET,
    host::TARGET,
    path::TARGET,
    request::TARGET,
    request_line::TARGET,
    rules::TARGET,
    state::TARGET,
];
