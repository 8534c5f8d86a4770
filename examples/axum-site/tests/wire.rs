//! The sample site as a process, driven over its socket.

use maintenance_mode_conformance::wire::{Framework, Subject};
use maintenance_mode_conformance::wire_suite;

const AXUM: Subject = Subject {
    program: env!("CARGO_BIN_EXE_axum-site"),
    framework: Framework {
        continues_first: false,
        answers_before_body: true,
        knows_all_methods: true,
        decodes_paths: false,
    },
};

wire_suite!(AXUM);
