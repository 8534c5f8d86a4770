//! The sample site as a process, driven over its socket.

use maintenance_mode_conformance::wire::{Framework, Subject};
use maintenance_mode_conformance::wire_suite;

const ACTIX: Subject = Subject {
    program: env!("CARGO_BIN_EXE_actix-site"),
    framework: Framework {
        // Its expect handler runs before any middleware.
        continues_first: true,
        answers_before_body: true,
        knows_all_methods: true,
        decodes_paths: true,
    },
};

wire_suite!(ACTIX);
