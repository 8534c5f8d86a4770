//! The sample site as a process, driven over its socket.

use maintenance_mode_conformance::wire::{Framework, Subject};
use maintenance_mode_conformance::wire_suite;

const SITE: Subject = Subject {
    program: env!("CARGO_BIN_EXE_poem-site"),
    // poem changes nothing below the middleware.
    framework: Framework::HYPER,
};

/// What hyper refuses although others do not: an empty authority.
const REFUSED: &[&str] = &["Q291"];

wire_suite!(SITE, REFUSED);
