//! Which format, and what is in it.

use std::sync::Arc;

use maintenance_mode::answer::{
    CustomAnswer, Format, FormatChoice, FullAnswer, Notice, PROBLEM_TYPE,
};
use maintenance_mode::{Facts, Mode};

use super::*;

#[test]
fn by_accept() {
    let set = set("");
    for (headers, format, media_type) in [
        (vec![BROWSER], Format::Html, "text/html; charset=utf-8"),
        (vec![JSON], Format::Json, "application/problem+json"),
        (vec![TEXT], Format::Text, "text/plain; charset=utf-8"),
        (
            vec![("accept", "*/*")],
            Format::Text,
            "text/plain; charset=utf-8",
        ),
        (vec![], Format::Html, "text/html; charset=utf-8"),
        (
            vec![("accept", "*/*"), ("content-type", "application/json")],
            Format::Json,
            "application/problem+json",
        ),
    ] {
        let answer = get(&set, &headers);
        assert_eq!(answer.format(), format, "{headers:?}");
        assert_eq!(field(&answer, "content-type").as_deref(), Some(media_type));
    }
}

#[test]
fn a_configured_format_and_a_path_rule_come_before_accept() {
    let fixed = set("format = \"json\"");
    assert_eq!(get(&fixed, &vec![BROWSER]).format(), Format::Json);
    let headers = vec![BROWSER];
    let facts = Facts::new("GET", "/").headers(&headers);
    assert_eq!(
        fixed.answer(&facts, NOW, Some(FormatChoice::Text)).format(),
        Format::Text
    );
    // A rule may ask for a redirect that there is none of.
    assert_eq!(
        set("")
            .answer(&facts, NOW, Some(FormatChoice::Redirect))
            .format(),
        Format::Html
    );
}

#[test]
fn the_json_answer() {
    let notice = Notice {
        message: message("Back \"soon\"\n\u{1F6E0}"),
        ends_at: Some(NOW),
        ..Notice::new(Mode::ReadOnly)
    };
    let set = set_of(policy(""), notice);
    let answer = get(&set, &vec![JSON, ("accept-language", "de")]);
    assert_eq!(
        json(&answer),
        serde_json::json!({
            "type": PROBLEM_TYPE,
            "title": "Nur Lesezugriff",
            "status": 503,
            "detail": "Back \"soon\"\n\u{1F6E0}",
            "site": "default",
            "mode": "read_only",
            "ends_at": "2026-11-20T22:00:00Z",
        })
    );
    assert_eq!(field(&answer, "content-language").as_deref(), Some("de"));
}

#[test]
fn the_text_answer() {
    let notice = Notice {
        message: message("One line.\nAnother."),
        ends_at: Some(NOW),
        ..Notice::new(Mode::Offline)
    };
    let text = body(&get(&set_of(policy(""), notice), &vec![TEXT]));
    assert!(text.starts_with("We’ll be back soon\n\n"), "{text}");
    assert!(text.contains("\nOne line.\nAnother.\n"), "{text}");
    assert!(
        text.ends_with("Expected end: 2026-11-20 22:00 UTC\n"),
        "{text}"
    );
}

#[test]
fn configured_texts() {
    let set = set("title = \"Shop closed\"\nmessage = \"Call us.\"");
    let problem = json(&get(&set, &vec![JSON, ("accept-language", "ja")]));
    assert_eq!(
        (&problem["title"], &problem["detail"]),
        (&"Shop closed".into(), &"Call us.".into())
    );
    let own = Notice {
        message: message("Operator."),
        ..Notice::new(Mode::Offline)
    };
    let set = set_of(policy("message = \"Call us.\""), own);
    assert_eq!(json(&get(&set, &vec![JSON]))["detail"], "Operator.");
}

#[test]
fn redirects_spare_json_clients_and_uploads() {
    let set_here = set("redirect = \"/closed?why=now\"");
    assert_eq!(set_here.policy().redirect_path(), Some("/closed"));
    for headers in [vec![BROWSER], vec![], vec![("accept", "*/*")], vec![TEXT]] {
        assert_eq!(
            get(&set_here, &headers).format(),
            Format::Redirect,
            "{headers:?}"
        );
    }
    for headers in [
        vec![JSON],
        vec![("accept", "*/*"), ("sec-fetch-dest", "empty")],
    ] {
        assert_eq!(
            get(&set_here, &headers).format(),
            Format::Json,
            "{headers:?}"
        );
    }
    assert_eq!(ask(&set_here, "HEAD", &vec![BROWSER]).status(), 302);
    assert_eq!(ask(&set_here, "POST", &vec![BROWSER]).status(), 303);
    assert_eq!(ask(&set_here, "PUT", &vec![BROWSER]).status(), 303);

    let asked = set(
        "redirect = \"https://status.example.com/\"\nredirect_json = true\nredirect_status = 307",
    );
    assert_eq!(asked.policy().redirect_path(), None);
    let answer = ask(&asked, "POST", &vec![JSON]);
    assert_eq!((answer.status(), answer.format()), (307, Format::Redirect));
    assert_eq!(
        field(&answer, "location").as_deref(),
        Some("https://status.example.com/")
    );

    // With a format of its own, the redirect is only for path rules that ask for it.
    let spare = set("redirect = \"/closed\"\nformat = \"auto\"");
    assert_eq!(get(&spare, &vec![BROWSER]).format(), Format::Html);
    let headers = vec![BROWSER];
    let facts = Facts::new("GET", "/old").headers(&headers);
    assert_eq!(
        spare
            .answer(&facts, NOW, Some(FormatChoice::Redirect))
            .format(),
        Format::Redirect
    );
}

#[test]
fn grpc_calls_get_a_status_that_their_clients_understand() {
    let notice = Notice {
        message: message("50 % done\nümlaut"),
        retry_after: Some(300),
        ..Notice::new(Mode::Offline)
    };
    // Even where the policy wants something else.
    for toml in [
        "",
        "format = \"html\"",
        "redirect = \"/closed\"",
        "status = 500",
    ] {
        let set = set_of(policy(toml), notice.clone());
        for (asked, answered) in [
            ("application/grpc", "application/grpc"),
            ("application/grpc+proto", "application/grpc"),
            ("application/grpc-web+proto", "application/grpc-web"),
            ("application/grpc-web-text", "application/grpc-web-text"),
        ] {
            let answer = ask(&set, "POST", &vec![("content-type", asked)]);
            assert_eq!((answer.status(), answer.format()), (200, Format::Grpc));
            assert_eq!(field(&answer, "content-type").as_deref(), Some(answered));
            assert_eq!(field(&answer, "grpc-status").as_deref(), Some("14"));
            assert_eq!(
                field(&answer, "grpc-message").as_deref(),
                Some("50 %25 done%0A%C3%BCmlaut")
            );
            assert_eq!(field(&answer, "retry-after").as_deref(), Some("300"));
            assert!(field(&answer, "grpc-status-details-bin").is_some());
            assert!(answer.body().is_empty());
        }
    }
    let quiet = set("retry_after = \"off\"");
    let answer = ask(&quiet, "POST", &vec![("content-type", "application/grpc")]);
    assert_eq!(field(&answer, "grpc-status-details-bin"), None);
}

#[test]
fn an_event_source_comes_back() {
    let events = vec![("accept", "text/event-stream")];
    let set_here = set_of(
        policy("format = \"html\""),
        Notice {
            message: message("a\nb"),
            ..Notice::new(Mode::Offline)
        },
    );
    let answer = get(&set_here, &events);
    assert_eq!(
        (answer.status(), answer.format()),
        (200, Format::EventStream)
    );
    assert_eq!(
        field(&answer, "content-type").as_deref(),
        Some("text/event-stream")
    );
    let stream = body(&answer);
    let lines: Vec<&str> = stream.lines().collect();
    assert_eq!(lines.len(), 4, "{stream}");
    let retry: u32 = lines[0].strip_prefix("retry: ").unwrap().parse().unwrap();
    assert!((10_000..=20_000).contains(&retry));
    assert_eq!(lines[1], "event: maintenance");
    let data: serde_json::Value =
        serde_json::from_str(lines[2].strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(
        (&data["detail"], &data["status"]),
        (&"a\nb".into(), &503.into())
    );
    assert!(stream.ends_with("\n\n"));

    assert_eq!(get(&set("event_stream = false"), &events).status(), 503);
    assert_eq!(ask(&set_here, "POST", &events).status(), 503);
}

#[test]
fn the_applications_function_comes_before_the_policy() {
    let policy = policy("format = \"html\"").with_custom(Arc::new(|facts, notice| {
        assert_eq!(notice.mode, Mode::Offline);
        match facts.path {
            "/json" => Some(CustomAnswer::Format(Format::Json)),
            "/xml" => FullAnswer::new(500, "application/xml", "<closed/>")
                .and_then(|answer| answer.header("X-Shop", "closed"))
                .and_then(|answer| answer.header("Retry-After", "9"))
                .ok()
                .map(CustomAnswer::Full),
            _ => None,
        }
    }));
    assert!(format!("{policy:?}").contains("custom: true"));
    let set = set_of(policy, Notice::new(Mode::Offline));
    let at = |path: &'static str| set.answer(&Facts::new("GET", path), NOW, None);
    assert_eq!(at("/").format(), Format::Html);
    assert_eq!(at("/json").format(), Format::Json);
    let answer = at("/xml");
    assert_eq!(
        (answer.status(), answer.format(), body(&answer).as_str()),
        (500, Format::Custom, "<closed/>")
    );
    for (name, value) in [
        ("content-type", "application/xml"),
        ("x-shop", "closed"),
        ("retry-after", "9"),
        ("cache-control", "no-store"),
        ("x-maintenance", "1"),
    ] {
        assert_eq!(field(&answer, name).as_deref(), Some(value), "{name}");
    }
}

#[test]
fn everything_can_be_prepared_ahead() {
    let set = set("redirect = \"/closed\"");
    set.prepare();
    let rendered = format!("{set:?}");
    let languages = 8;
    assert!(
        rendered.contains(&format!("rendered: {}", languages * 12 + 5)),
        "{rendered}"
    );
    assert_eq!(get(&set, &vec![JSON]).format(), Format::Json);
}
