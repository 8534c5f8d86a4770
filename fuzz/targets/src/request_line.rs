//! Requests as JSON lines, as people give them to `explain`.

use std::sync::{Arc, LazyLock};

use maintenance_mode::explain::RequestLine;
use maintenance_mode::{Config, Mode, Policy, Snapshot};

use crate::Target;
use crate::request::agree;

/// Of [`RequestLine`].
pub const TARGET: Target = Target {
    name: "request_line",
    run,
    words: &[
        "\"target\":",
        "\"method\":",
        "\"headers\":",
        "\"peer\":",
        "\"unix\"",
        "\"authority\":",
        "\"routed_path\":",
        "\"effective_method\":",
        "\"proxy_protocol\":",
        "\"command\":",
        "\"PROXY\"",
        "\"user\":",
        "\"roles\":",
        "\"now\":",
        "[[\"a\",\"b\"]]",
        "null",
        "true",
        "\"2030-01-01T00:00:00Z\"",
        "1e400",
        "-9223372036854775808",
        "http://a/b",
        "\\u0000",
    ],
};

static CLOSED: LazyLock<Snapshot> = LazyLock::new(|| {
    let config = Config::new().mode(Mode::Offline).allow_path("/open");
    match Policy::compile(config) {
        Ok(policy) => Snapshot::new(Arc::new(policy), None),
        Err(complaints) => panic!("{complaints}"),
    }
});

/// One line.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(line) = text.parse::<RequestLine>() else {
        return;
    };
    // Also times that nobody lives to see.
    if let Some(time) = line.time() {
        assert!(CLOSED.next_turn(time).is_none());
    }
    line.with_facts(|facts| agree(&CLOSED, facts));
}
