//! Negotiation: any `Accept`, `Accept-Language`, `Origin` and the like get an answer that can be sent.

use std::sync::{Arc, LazyLock};

use maintenance_mode::answer::Format;
use maintenance_mode::{Config, Decision, Facts, Mode, Policy, Snapshot, Timestamp};

use crate::Target;
use crate::fields::{can_be_sent, fields, text};

/// Of [`maintenance_mode::answer`].
pub const TARGET: Target = Target {
    name: "accept",
    run,
    words: &[
        "GET\n",
        "HEAD\n",
        "POST\n",
        "OPTIONS\n",
        "Accept: ",
        "Accept-Language: ",
        "text/html",
        "application/json",
        "application/problem+json",
        "text/plain",
        "text/event-stream",
        "application/grpc",
        "application/grpc-web+proto",
        "Content-Type: ",
        "*/*",
        ";q=0.5",
        ";q=0",
        ";q=1.000",
        ",",
        "\"",
        "de-CH",
        "zh-Hant",
        "pt-BR",
        "*",
        "Origin: ",
        "https://app.example",
        "Access-Control-Request-Method: ",
        "Access-Control-Request-Headers: ",
        "X-Requested-With: ",
        "Sec-Fetch-Mode: ",
        "Sec-Fetch-Dest: ",
        "TE: trailers",
    ],
};

static CLOSED: LazyLock<Snapshot> = LazyLock::new(|| {
    let config = Config::new().mode(Mode::Offline);
    match Policy::compile(config) {
        Ok(policy) => Snapshot::new(Arc::new(policy), None),
        Err(complaints) => panic!("{complaints}"),
    }
});

/// The method, then fields.
pub fn run(mut data: &[u8]) {
    let method = text(&mut data);
    let headers = fields(data);
    let facts = Facts::new(method, "/").headers(&headers);
    let Decision::Block(block) = CLOSED.decide(&facts, Timestamp::from_millis(0)) else {
        panic!("a closed site let a request in");
    };
    let answer = block.answer(&facts);
    can_be_sent(&answer);
    let expected = match answer.format() {
        Format::Preflight => [200, 204].as_slice(),
        Format::Grpc | Format::EventStream => &[200, 503],
        _ => &[503],
    };
    assert!(
        expected.contains(&answer.status()),
        "{:?} with {}",
        answer.format(),
        answer.status()
    );
}
