//! The sample site as a process, driven over its socket.

use maintenance_mode_conformance::wire::{Framework, Subject};
use maintenance_mode_conformance::wire_suite;

const SITE: Subject = Subject {
    program: env!("CARGO_BIN_EXE_actix-site"),
    framework: Framework::ACTIX,
};

/// What actix's parser refuses although the `http` crate of other frameworks does not: doubled hosts, an
/// empty authority, octets that are no ASCII.
const REFUSED: &[&str] = &["P086", "P117", "Q138", "Q261", "Q262", "Q283", "Q291"];

wire_suite!(SITE, REFUSED);
