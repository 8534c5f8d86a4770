//! `on`, `status` and `off` with the state in a real NATS server.
#![cfg(feature = "nats")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::net::TcpStream;
use std::process::Command;

use maintenance_mode_conformance::server::{Server, free_port};
use support::Site;

#[test]
fn a_site_is_closed_and_opened_by_the_url_of_a_nats_server() {
    let site = Site::new();
    let port = free_port().unwrap();
    let url = format!("nats://127.0.0.1:{port}");
    let store = site.path("store");
    site.write(
        "nats.conf",
        format!("listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: {store:?} }}\n"),
    );
    let start = || {
        let mut server = Command::new("nats-server");
        server.arg("-c").arg(site.path("nats.conf"));
        let answers = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        Server::start(&mut server, &site.path("log"), answers).unwrap()
    };
    let server = start();
    site.run(&["--backend", &url, "status"])
        .exits(0)
        .says("default: online")
        .says("never changed");
    site.run(&["--backend", &url, "on", "--why", "moving"])
        .exits(0)
        .says("default: offline, was online");
    server.kill().unwrap();
    site.run(&["--backend", &url, "status"])
        .exits(20)
        .remarks("does the server run");
    let _server = start();
    site.run(&["--backend", &url, "status"])
        .exits(11)
        .says("moving")
        .says("bucket `maintenance-mode`, key `state`");
    site.run(&["--backend", &url, "off"])
        .exits(0)
        .says("default: online, was offline");
}
