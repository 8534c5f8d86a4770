//! Foreign bytes: in the message, in the request, in the template's values.

use maintenance_mode::answer::{Format, Notice};
use maintenance_mode::{Facts, Mode};
use proptest::prelude::*;

use super::*;

const NASTY: &str = "</script><script>alert('x')</script> & \"quotes\" </style> {{ 7*7 }} {% raw %}\n\u{2028}\u{202e}";

/// Every value is one line of printable ASCII, every name a token.
fn assert_sendable(answer: &Answer<'_>) {
    answer.for_each_field(|name, value| {
        assert!(
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{name}"
        );
        assert!(
            !value.is_empty() && value.iter().all(|b| (b' '..=b'~').contains(b)),
            "{name}: {value:?}"
        );
    });
}

#[test]
fn the_message_is_escaped_for_its_place() {
    let notice = Notice {
        message: message(NASTY),
        ..Notice::new(Mode::Offline)
    };
    let set = set_of(policy(""), notice);
    let page = body(&get(&set, &vec![BROWSER]));
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(page.contains("&lt;script&gt;alert("));
    assert!(page.contains("{{ 7*7 }}"), "the message is no template");
    assert_eq!(json(&get(&set, &vec![JSON]))["detail"], NASTY);
    assert!(body(&get(&set, &vec![TEXT])).contains(NASTY));
    let events = body(&get(&set, &vec![("accept", "text/event-stream")]));
    assert_eq!(
        events.split('\n').count(),
        5,
        "a line feed in the message ends no event: {events}"
    );
    for headers in [
        vec![BROWSER],
        vec![JSON],
        vec![TEXT],
        vec![("content-type", "application/grpc")],
    ] {
        assert_sendable(&ask(&set, "POST", &headers));
    }
}

#[test]
fn the_configured_title_is_escaped_too() {
    let page = body(&get(&set("title = \"<i>Shop</i> & more\""), &vec![BROWSER]));
    assert!(
        page.contains("<title>&lt;i&gt;Shop&lt;") && page.contains("<h1>&lt;i&gt;Shop"),
        "{page}"
    );
}

#[test]
fn the_longest_message_still_fits_into_what_grpc_clients_accept() {
    let notice = Notice {
        message: message(&"ü".repeat(2048)),
        ..Notice::new(Mode::Offline)
    };
    let set = set_of(policy(""), notice);
    let answer = ask(&set, "POST", &vec![("content-type", "application/grpc")]);
    let total: usize = all_fields(&answer)
        .iter()
        .map(|(name, value)| name.len() + value.len() + 32)
        .sum();
    assert!(total < 8 * 1024, "{total} bytes of fields");
}

#[test]
fn enormous_fields_cost_nothing() {
    let set = set("");
    set.prepare();
    let accept = format!("{}application/json", "a/b;q=0.1,".repeat(100_000));
    let languages = "xx-yy;q=0.5,".repeat(10_000);
    let quotes = format!("a/b;x=\"{}", "\\\"".repeat(500_000));
    let origin = "https://".to_owned() + &"a".repeat(1 << 20);
    let begin = std::time::Instant::now();
    for _ in 0..100 {
        for value in [&accept, &quotes] {
            let headers = vec![
                ("accept", value.as_str()),
                ("accept-language", &languages),
                ("origin", &origin),
            ];
            let answer = set.answer(&Facts::new("GET", "/").headers(&headers), NOW, None);
            assert_eq!(answer.status(), 503);
            assert_sendable(&answer);
        }
    }
    // 400 MB of fields; reading all of it would take seconds in a build without optimisation.
    assert!(begin.elapsed().as_millis() < 2_000, "{:?}", begin.elapsed());
}

proptest! {
    #[test]
    fn no_request_breaks_the_answer(
        method in prop_oneof![Just("GET".to_owned()), Just("POST".to_owned()), Just("OPTIONS".to_owned()), ".{0,8}"],
        fields in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "accept", "accept-language", "content-type", "origin", "sec-fetch-dest",
                    "access-control-request-method", "access-control-request-headers",
                ]),
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..60),
                    "[a-z*/;,=\"\\\\q0-9. -]{0,60}".prop_map(String::into_bytes),
                    prop::sample::select(vec![
                        "text/html", "application/json", "text/event-stream", "*/*", "application/grpc",
                        "https://app.example", "PUT", "x-a, x-b", "document",
                    ]).prop_map(|text| text.as_bytes().to_vec()),
                ],
            ),
            0..8,
        ),
        redirect in any::<bool>(),
    ) {
        let set = set(if redirect { "redirect = \"/closed\"" } else { "cors = [\"https://app.example\"]" });
        let answer = set.answer(&Facts::new(&method, "/").headers(&fields), NOW, None);
        assert_sendable(&answer);
        let expected = match answer.format() {
            Format::Redirect => if matches!(method.as_str(), "GET" | "HEAD") { 302 } else { 303 },
            Format::Grpc | Format::EventStream => 200,
            Format::Preflight => 204,
            _ => 503,
        };
        prop_assert_eq!(answer.status(), expected);
        prop_assert_eq!(field(&answer, "cache-control"), Some("no-store".to_owned()));
        prop_assert_eq!(field(&answer, "x-maintenance"), Some("1".to_owned()));
    }
}
