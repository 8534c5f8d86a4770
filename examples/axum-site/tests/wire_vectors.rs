//! Every vector that can be sent, over the sample site's socket.

use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::wire::{Framework, Subject, vectors};

/// What hyper's parser refuses although others do not.
const REFUSED: &[&str] = &[];

#[test]
fn every_vector_that_can_be_sent_holds_on_the_wire() -> Result<(), Broken> {
    let subject = Subject {
        program: env!("CARGO_BIN_EXE_axum-site"),
        framework: Framework {
            continues_first: false,
            answers_before_body: true,
            knows_all_methods: true,
            decodes_paths: false,
        },
    };
    let tally = vectors::run(&subject, REFUSED)?;
    println!("{tally}");
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    assert!(tally.sent > 400, "only {tally}");
    Ok(())
}
