//! The sample site as a process, driven over its socket.

use maintenance_mode_conformance::wire::{Framework, Subject};
use maintenance_mode_conformance::wire_suite;

const SITE: Subject = Subject {
    program: env!("CARGO_BIN_EXE_rocket-site"),
    framework: Framework::ROCKET,
};

/// What Rocket cannot parse: an empty authority, an authority without a path, and methods that it does not
/// know.
const REFUSED: &[&str] = &[
    "Q291", "Q155", "P177", "P179", "Q018", "Q215", "Q220", "Q221", "Q222", "Q224", "Q225", "Q226",
    "Q227", "Q247",
];

wire_suite!(SITE, REFUSED);
