//! Statuses and header fields.

use maintenance_mode::answer::{Format, Notice};
use maintenance_mode::{Facts, Mode, Timestamp};

use super::*;

#[test]
fn every_answer_is_a_marked_503_that_no_cache_keeps() {
    let set = set("");
    for headers in [vec![BROWSER], vec![JSON], vec![TEXT], vec![]] {
        for method in ["GET", "HEAD", "POST", "DELETE", "BREW"] {
            let answer = ask(&set, method, &headers);
            assert_eq!(answer.status(), 503);
            for (name, value) in [
                ("cache-control", "no-store"),
                ("cdn-cache-control", "no-store"),
                ("x-maintenance", "1"),
                ("x-content-type-options", "nosniff"),
                ("content-language", "en"),
                ("vary", "Accept, Accept-Language, Origin"),
            ] {
                assert_eq!(
                    field(&answer, name).as_deref(),
                    Some(value),
                    "{name} for {method}"
                );
            }
            for name in [
                "etag",
                "last-modified",
                "expires",
                "age",
                "accept-ranges",
                "surrogate-control",
            ] {
                assert_eq!(field(&answer, name), None);
            }
            assert!(field(&answer, "retry-after").is_some());
        }
    }
}

#[test]
fn redirects_are_not_kept_either() {
    let set = set("redirect = \"/closed\"");
    let answer = get(&set, &vec![BROWSER]);
    assert_eq!((answer.status(), answer.format()), (302, Format::Redirect));
    assert_eq!(field(&answer, "location").as_deref(), Some("/closed"));
    assert_eq!(field(&answer, "cache-control").as_deref(), Some("no-store"));
    assert_eq!(
        field(&answer, "cdn-cache-control").as_deref(),
        Some("no-store")
    );
    assert_eq!(field(&answer, "x-maintenance").as_deref(), Some("1"));
    assert!(field(&answer, "retry-after").is_some());
}

#[test]
fn the_status_and_the_surrogate_field_are_settings() {
    let set = set("status = 500\nsurrogate_control = true");
    let answer = get(&set, &vec![JSON]);
    assert_eq!(answer.status(), 500);
    assert_eq!(json(&answer)["status"], 500);
    assert_eq!(
        field(&answer, "surrogate-control").as_deref(),
        Some("no-store")
    );
}

#[test]
fn one_language_is_not_negotiated() {
    let set = set("languages = [\"fr\"]\nformat = \"text\"\ncors = \"off\"\nevent_stream = false");
    let answer = get(&set, &vec![("accept-language", "de")]);
    assert_eq!(field(&answer, "content-language").as_deref(), Some("fr"));
    assert_eq!(field(&answer, "vary"), None);
}

#[test]
fn retry_after_comes_from_the_end_the_operator_or_the_settings() {
    let seconds = |set: &AnswerSet| field(&get(set, &vec![]), "retry-after");
    let until = |millis: i64| Notice {
        ends_at: Some(Timestamp::from_millis(NOW.as_millis() + millis)),
        ..Notice::new(Mode::Offline)
    };
    let auto: u32 = seconds(&set_of(policy(""), until(3_600_000)))
        .unwrap()
        .parse()
        .unwrap();
    assert!((3600..=3960).contains(&auto), "{auto}");
    assert_eq!(seconds(&set("retry_after = 77")).as_deref(), Some("77"));
    assert_eq!(seconds(&set("retry_after = \"off\"")), None);
    let date = "Sat, 20 Nov 2027 22:00:00 GMT";
    assert_eq!(
        seconds(&set(&format!("retry_after = \"{date}\""))).as_deref(),
        Some(date)
    );
    let operator = Notice {
        retry_after: Some(5),
        ..until(3_600_000)
    };
    assert_eq!(
        seconds(&set_of(policy("retry_after = 77"), operator)).as_deref(),
        Some("5")
    );
}

#[test]
fn head_has_the_fields_and_the_length_but_no_body() {
    let set = set("");
    let (got, headed) = (get(&set, &vec![BROWSER]), ask(&set, "HEAD", &vec![BROWSER]));
    assert_eq!(all_fields(&got), all_fields(&headed));
    assert_eq!(got.content_length(), headed.content_length());
    assert!(got.content_length().is_some_and(|length| length > 1000));
    assert!(headed.body_for("HEAD").is_empty());
    assert_eq!(got.body_for("GET"), *got.body());
}

#[test]
fn conditional_and_range_requests_get_the_plain_answer() {
    let set = set("");
    let plain = get(&set, &vec![BROWSER]);
    for extra in [
        ("if-none-match", "*"),
        ("if-modified-since", "Sat, 20 Nov 2027 22:00:00 GMT"),
        ("range", "bytes=0-9"),
    ] {
        let answer = get(&set, &vec![BROWSER, extra]);
        assert_eq!(answer.status(), 503);
        assert_eq!(all_fields(&answer), all_fields(&plain));
        assert_eq!(answer.body(), plain.body());
    }
}

#[test]
fn other_origins_may_read_the_answer() {
    let from = vec![JSON, ("origin", "https://app.example")];
    let any = set("");
    let answer = get(&any, &from);
    assert_eq!(
        field(&answer, "access-control-allow-origin").as_deref(),
        Some("*")
    );
    assert_eq!(
        field(&answer, "access-control-expose-headers").as_deref(),
        Some("Retry-After, X-Maintenance")
    );
    assert_eq!(field(&answer, "access-control-allow-credentials"), None);
    assert_eq!(
        field(&get(&any, &vec![JSON]), "access-control-allow-origin"),
        None
    );

    let listed = set("cors = [\"https://app.example\"]");
    let answer = get(&listed, &from);
    assert_eq!(
        field(&answer, "access-control-allow-origin").as_deref(),
        Some("https://app.example")
    );
    assert_eq!(
        field(&answer, "access-control-allow-credentials").as_deref(),
        Some("true")
    );
    let stranger = get(&listed, &vec![JSON, ("origin", "https://other.example")]);
    assert_eq!(field(&stranger, "access-control-allow-origin"), None);
    assert_eq!(
        field(&stranger, "vary").as_deref(),
        Some("Accept, Accept-Language, Origin")
    );

    let off = set("cors = \"off\"");
    assert_eq!(
        field(&get(&off, &from), "access-control-allow-origin"),
        None
    );
}

#[test]
fn preflights_are_permitted_so_that_the_page_sees_the_503() {
    let preflight = vec![
        ("origin", "https://app.example"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "content-type,x-trace"),
    ];
    let any = set("");
    let answer = ask(&any, "OPTIONS", &preflight);
    assert_eq!((answer.status(), answer.format()), (204, Format::Preflight));
    assert_eq!(answer.content_length(), None);
    for (name, value) in [
        ("access-control-allow-origin", Some("*")),
        ("access-control-allow-credentials", None),
        ("access-control-allow-methods", Some("PUT")),
        (
            "access-control-allow-headers",
            Some("content-type, x-trace"),
        ),
        ("access-control-max-age", Some("0")),
        ("cache-control", Some("no-store")),
        ("x-maintenance", Some("1")),
    ] {
        assert_eq!(field(&answer, name).as_deref(), value, "{name}");
    }
    let listed = set("cors = [\"https://app.example\"]");
    let answer = ask(&listed, "OPTIONS", &preflight);
    assert_eq!(answer.status(), 204);
    assert_eq!(
        field(&answer, "access-control-allow-credentials").as_deref(),
        Some("true")
    );

    for closed in [
        set("cors = [\"https://other.example\"]"),
        set("cors = \"off\""),
    ] {
        let answer = ask(&closed, "OPTIONS", &preflight);
        assert_eq!(answer.status(), 503);
        assert_eq!(field(&answer, "access-control-allow-origin"), None);
    }
    let plain_options = ask(&any, "OPTIONS", &vec![("origin", "https://app.example")]);
    assert_eq!(plain_options.status(), 503);
}

#[test]
fn an_adapter_converts_the_fields_once() {
    let set = set("");
    let facts_headers = vec![BROWSER];
    let facts = Facts::new("GET", "/").headers(&facts_headers);
    let first = set.answer(&facts, NOW, None);
    let converted = first
        .prepared()
        .cache(<[maintenance_mode::answer::Field]>::to_vec)
        .unwrap()
        .as_ptr();
    let second = set.answer(&facts, NOW, None);
    let again = second
        .prepared()
        .cache(|_| -> Vec<maintenance_mode::answer::Field> { panic!("converted twice") });
    assert_eq!(again.unwrap().as_ptr(), converted);
    assert_eq!(
        first.body().as_ptr(),
        second.body().as_ptr(),
        "the body is not copied"
    );
}
