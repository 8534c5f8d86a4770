//! The databases as an operator names them: by URL.
#![cfg(all(unix, feature = "sql"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use maintenance_mode_conformance::databases::{MariaDb, PASSWORD, Postgres};
use support::Site;

/// Closes and opens; nobody shows the password.
fn is_switched(url: &str) {
    let site = Site::new();
    let run = |verb: &str, code| {
        let mut arguments = vec!["--backend", url];
        arguments.extend(verb.split(' '));
        let run = site.run(&arguments).exits(code);
        assert!(!run.out.contains(PASSWORD) && !run.err.contains(PASSWORD));
        run
    };
    run("status", 0).says("never changed");
    run("on", 0).says("default: offline, was online");
    run("status", 11).says("revision 1 of");
    run("off", 0).says("default: online, was offline");
    run("status", 0).says("revision 2 of");
    run("repair --mode online --force", 0).says("_kept`, id 1");
    run("status", 0).says("revision 1 of");
}

#[test]
fn postgresql_is_switched_by_url() {
    let server = Postgres::new().unwrap();
    is_switched(&server.url("postgres"));
}

#[test]
fn mariadb_is_switched_by_url() {
    let server = MariaDb::new().unwrap();
    is_switched(&server.url());
}

#[test]
fn sqlite_is_switched_by_url() {
    is_switched("sqlite:state.db");
}
