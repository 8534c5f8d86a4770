//! The sample site as a process, driven over its socket.

use maintenance_mode::On;
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::ensure;
use maintenance_mode_conformance::wire::{Framework, Site, Subject};
use maintenance_mode_conformance::wire_suite;

const ACTIX: Subject = Subject {
    program: env!("CARGO_BIN_EXE_actix-site"),
    framework: Framework::ACTIX,
};

wire_suite!(ACTIX);

#[test]
fn the_commented_configuration_is_valid() -> Result<(), Broken> {
    let config = include_str!("../maintenance.toml");
    let site = Site::start(ACTIX.program(), config)?;
    site.close(&On::default())?;
    ensure!(site.get("/login")?.status == 200, "staff cannot log in");
    ensure!(site.get("/")?.is_closed(), "not closed");
    let api = site.get("/api/items")?;
    let is_json = api.field("content-type") == Some("application/problem+json");
    ensure!(is_json, "{api:?}");
    Ok(())
}
