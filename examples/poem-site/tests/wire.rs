//! The sample site as a process, driven over its socket.

use maintenance_mode::On;
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::ensure;
use maintenance_mode_conformance::wire::{Framework, Site, Subject, vectors};
use maintenance_mode_conformance::wire_suite;

const POEM: Subject = Subject {
    program: env!("CARGO_BIN_EXE_poem-site"),
    // poem changes nothing below the middleware.
    framework: Framework::HYPER,
};

wire_suite!(POEM);

/// What hyper refuses although others do not: an empty authority.
const REFUSED: &[&str] = &["Q291"];

#[test]
fn every_vector_that_can_be_sent_holds_on_the_wire() -> Result<(), Broken> {
    let tally = vectors::run(&POEM, REFUSED)?;
    println!("{tally}");
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    assert!(tally.sent > 400, "only {tally}");
    Ok(())
}

#[test]
fn the_commented_configuration_is_valid() -> Result<(), Broken> {
    let config = include_str!("../maintenance.toml");
    let site = Site::start(POEM.program(), config)?;
    site.close(&On::default())?;
    ensure!(site.get("/login")?.status == 200, "staff cannot log in");
    ensure!(site.get("/")?.is_closed(), "not closed");
    let api = site.get("/api/items")?;
    let is_json = api.field("content-type") == Some("application/problem+json");
    ensure!(is_json, "{api:?}");
    Ok(())
}
