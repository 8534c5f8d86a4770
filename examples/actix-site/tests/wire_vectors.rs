//! Every vector that can be sent, over the sample site's socket.

use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::wire::{Framework, Subject, vectors};

/// What actix's parser refuses although the `http` crate of other frameworks does not: doubled hosts, an
/// empty authority, octets that are no ASCII.
const REFUSED: &[&str] = &["P086", "P117", "Q138", "Q261", "Q262", "Q283", "Q291"];

#[test]
fn every_vector_that_can_be_sent_holds_on_the_wire() -> Result<(), Broken> {
    let subject = Subject {
        program: env!("CARGO_BIN_EXE_actix-site"),
        framework: Framework::ACTIX,
    };
    let tally = vectors::run(&subject, REFUSED)?;
    println!("{tally}");
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    assert!(tally.sent > 400, "only {tally}");
    Ok(())
}
