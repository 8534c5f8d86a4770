//! The tool with state in a Redis server.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::net::TcpStream;
use std::process::Command;

use maintenance_mode_conformance::server::{Server, free_port};
use support::Site;

#[test]
fn a_site_is_closed_and_opened_in_redis() {
    let site = Site::configured("");
    let port = free_port().unwrap();
    let url = format!("redis://127.0.0.1:{port}/?prefix=shop");
    site.run(&["--backend", &url, "status"])
        .exits(20)
        .remarks("nothing listens there");
    let mut command = Command::new("redis-server");
    command
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
        ])
        .arg(site.folder());
    let _server = Server::start(&mut command, &site.path("redis.log"), || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .unwrap();
    let run = |words: &[&str]| site.run(&[&["--backend", &url], words].concat());
    run(&["status"]).exits(0).says("default: online");
    run(&["on", "--why", "DB-1432"])
        .exits(0)
        .says("default: offline, was online");
    run(&["status"])
        .exits(11)
        .says("DB-1432")
        .says("revision 1");
    run(&["off"]).exits(0).says("default: online, was offline");
    run(&["status"]).exits(0);
}
