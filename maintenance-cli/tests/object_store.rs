//! A site whose state lies in an object store.
#![cfg(feature = "object-store")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use maintenance_mode_conformance::object_server::{ObjectServer, READER, WRITER, variables};
use support::{Run, Site};

/// Runs the binary with the credentials of `access_key`.
fn run(site: &Site, access_key: &str, arguments: &[&str]) -> Run {
    let mut command = site.command(arguments);
    command.envs(variables(access_key)).output().unwrap().into()
}

#[test]
fn a_site_is_closed_and_opened_by_the_url_of_an_object() {
    let site = Site::configured("");
    let buckets = site.path("buckets");
    std::fs::create_dir_all(buckets.join("operations")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(ObjectServer::start(&buckets)).unwrap();
    let endpoint = server.endpoint();
    let url = format!("s3://operations/shop/state?endpoint={endpoint}&allow_http=true");
    site.write("maintenance.toml", format!("backend = \"{url}\""));

    run(&site, WRITER, &["status"])
        .exits(0)
        .says("default: online")
        .says("never changed");
    run(&site, WRITER, &["on", "--why", "move"])
        .exits(0)
        .remarks_nothing()
        .says("default: offline, was online");
    run(&site, READER, &["status"])
        .exits(11)
        .says("s3://operations/shop/state")
        .says("revision 1");
    let refused = run(&site, READER, &["off"]).remarks("access is denied");
    assert_ne!(refused.code, 0, "{refused:#?}");
    run(&site, WRITER, &["off"])
        .exits(0)
        .says("default: online, was offline");
    run(&site, WRITER, &["status"])
        .exits(0)
        .says("default: online");

    drop(server);
    runtime.shutdown_background();
    let unreachable = run(&site, WRITER, &["status"]).remarks("cannot be reached");
    assert_ne!(unreachable.code, 0, "{unreachable:#?}");
}

#[test]
fn credentials_in_a_url_are_refused_and_not_shown() {
    let site = Site::configured("");
    let url = "s3://operations/state?secret_access_key=open-sesame";
    let run = site
        .run(&["status", "--backend", url])
        .remarks("set them in the environment");
    assert_ne!(run.code, 0, "{run:#?}");
    assert!(!run.err.contains("open-sesame"), "{run:#?}");
}
