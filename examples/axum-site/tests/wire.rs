//! The sample site as a process, driven over its socket.

use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::wire::{Framework, Subject, vectors};
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

/// What hyper refuses although others do not: an empty authority.
const REFUSED: &[&str] = &["Q291"];

#[test]
fn every_vector_that_can_be_sent_holds_on_the_wire() -> Result<(), Broken> {
    let tally = vectors::run(&AXUM, REFUSED)?;
    println!("{tally}");
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    assert!(tally.sent > 400, "only {tally}");
    Ok(())
}
