//! The page: built in, from a template, from a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use maintenance_mode::answer::{FormatChoice, Notice, Value, context};
use maintenance_mode::{Facts, Mode};

use super::*;

const MODES: [Mode; 4] = [Mode::Offline, Mode::ReadOnly, Mode::Pending, Mode::Paused];
const TAGS: [&str; 8] = ["en", "de", "fr", "es", "it", "pt", "ja", "zh-Hans"];

#[test]
fn in_every_mode_and_language() {
    let mut seen = std::collections::BTreeSet::new();
    for mode in MODES {
        let notice = Notice {
            message: message("Hello"),
            ends_at: Some(NOW),
            ..Notice::new(mode)
        };
        let set = set_of(policy(""), notice);
        for tag in TAGS {
            for method in ["GET", "POST"] {
                let answer = ask(&set, method, &vec![BROWSER, ("accept-language", tag)]);
                let page = body(&answer);
                assert!(page.starts_with("<!doctype html>\n<html lang=\""), "{page}");
                assert!(page.contains(&format!("<html lang=\"{tag}\" dir=\"ltr\">")));
                assert_eq!(field(&answer, "content-language").as_deref(), Some(tag));
                assert!(page.contains(
                    "<time datetime=\"2026-11-20T22:00:00Z\">2026-11-20 22:00 UTC</time>"
                ));
                assert!(
                    page.contains("<main")
                        && page.contains("role=\"status\"")
                        && page.contains("<h1>")
                );
                assert!(!page.contains("{{") && !page.contains("{%"));
                assert!(page.len() < 8 * 1024, "{} bytes", page.len());
                assert!(
                    seen.insert(page),
                    "the same page twice: {mode} {tag} {method}"
                );
            }
        }
    }
}

#[test]
fn needs_nothing_from_outside() {
    let page = body(&get(&set(""), &vec![BROWSER]));
    for outside in ["http://", "https://", "src=", "url(", "@import", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn only_its_own_style_and_script_are_admitted() {
    use sha2::{Digest, Sha256};

    let set = set("");
    let answer = get(&set, &vec![BROWSER]);
    let page = body(&answer);
    let policy = field(&answer, "content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for (start, end, directive) in [
        ("<style>", "</style>", "style-src"),
        ("<script>", "</script>", "script-src"),
    ] {
        let text = page.split_once(start).unwrap().1.split_once(end).unwrap().0;
        let digest = Sha256::digest(text.as_bytes());
        let hash = policy
            .split_once(&format!("{directive} 'sha256-"))
            .unwrap()
            .1
            .split_once('\'')
            .unwrap()
            .0;
        assert_eq!(decoded(hash), digest.as_slice(), "{directive}");
    }
    // What the policy would forbid.
    assert!(!page.contains(" style=") && !page.contains(" onclick="));
}

fn decoded(base64: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits = base64.trim_end_matches('=');
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for digit in digits.bytes() {
        bits = bits << 6 | u32::from(value(digit));
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

#[test]
fn reloads_itself_only_where_nothing_was_sent() {
    let set = set("");
    let refresh = "<noscript><meta http-equiv=\"refresh\" content=\"60\"></noscript>";
    for method in ["GET", "HEAD"] {
        let page = body(&ask(&set, method, &vec![BROWSER]));
        assert!(
            page.contains(refresh) && page.contains("href=\"\"") && !page.contains("data-sent")
        );
    }
    for method in ["POST", "PUT", "DELETE"] {
        let page = body(&ask(&set, method, &vec![BROWSER]));
        assert!(
            !page.contains("refresh")
                && !page.contains("href=\"\"")
                && page.contains("<main data-sent>")
        );
        assert!(page.contains("What you sent was not received"));
    }
}

#[test]
fn a_template_in_place_of_the_built_in_page() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("503.html"),
        "<p>{{ heading }}|{{ mode }}|{{ message }}|{{ sent }}",
    )
    .unwrap();
    let policy = policy_in(folder.path(), "template = \"503.html\"");
    let set = set_of(
        policy,
        Notice {
            message: message("<b>"),
            ..Notice::new(Mode::Pending)
        },
    );
    let answer = get(&set, &vec![BROWSER, ("accept-language", "it")]);
    assert_eq!(
        body(&answer),
        "<p>La manutenzione sta per iniziare|pending|&lt;b&gt;|False"
    );
    assert_eq!(field(&answer, "content-security-policy"), None);
    assert_eq!(field(&answer, "content-language").as_deref(), Some("it"));
    // Rendered once: the file may go.
    drop(folder);
    assert_eq!(
        get(&set, &vec![BROWSER, ("accept-language", "it")])
            .body()
            .as_ptr(),
        answer.body().as_ptr()
    );
}

#[test]
fn a_page_whose_language_nobody_knows_claims_none() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("page.html"), "<h1>Gesloten {{ x }}</h1>").unwrap();
    let fixed = set_of(
        policy_in(folder.path(), "page = \"page.html\""),
        Notice::new(Mode::Offline),
    );
    let answer = get(&fixed, &vec![BROWSER, ("accept-language", "de")]);
    assert_eq!(
        body(&answer),
        "<h1>Gesloten {{ x }}</h1>",
        "sent as it stands"
    );
    assert_eq!(field(&answer, "content-language"), None);
    assert_eq!(field(&answer, "vary").as_deref(), Some("Accept, Origin"));
    let template = set_of(
        policy_in(folder.path(), "template = \"page.html\""),
        Notice::new(Mode::Offline),
    );
    let answer = get(&template, &vec![BROWSER]);
    assert_eq!(
        (body(&answer).as_str(), field(&answer, "content-language")),
        ("<h1>Gesloten </h1>", None)
    );
}

#[test]
fn the_context_function_is_asked_for_each_request() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("503.html"),
        "{{ path|safe }} {{ count }} {{ mode }}",
    )
    .unwrap();
    let count = AtomicU32::new(0);
    let policy = policy_in(folder.path(), "template = \"503.html\"").with_context(Arc::new(
        move |facts, _| -> Value {
            let count = count.fetch_add(1, Ordering::Relaxed);
            context! { path => facts.path, count, mode => "mine" }
        },
    ));
    let set = set_of(policy, Notice::new(Mode::Offline));
    set.prepare();
    for expected in ["/a 0 offline", "/b 1 offline"] {
        let facts = Facts::new("GET", &expected[..2]);
        assert_eq!(
            body(&set.answer(&facts, NOW, Some(FormatChoice::Html))),
            expected
        );
    }
}

#[test]
fn a_template_that_fails_for_a_request_gives_way_to_the_built_in_page() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("503.html"),
        "{% if divisor is defined %}{{ 1 // divisor }}{% endif %}ok",
    )
    .unwrap();
    let policy =
        policy_in(folder.path(), "template = \"503.html\"").with_context(Arc::new(|facts, _| {
            context! { divisor => u8::from(facts.path != "/bad") }
        }));
    let set = set_of(policy, Notice::new(Mode::Offline));
    let at =
        |path: &'static str| set.answer(&Facts::new("GET", path), NOW, Some(FormatChoice::Html));
    assert_eq!(body(&at("/good")), "1ok");
    let answer = at("/bad");
    assert!(body(&answer).contains("We’ll be back soon"));
    assert!(field(&answer, "content-security-policy").is_some());
    assert_eq!(answer.status(), 503);
}

#[test]
fn the_documented_example_works_and_uses_documented_names() {
    let guide = include_str!("../../../docs/templates.md");
    let example = guide
        .split_once("```html+jinja\n")
        .unwrap()
        .1
        .split_once("```")
        .unwrap()
        .0;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("503.html"), example).unwrap();
    let notice = Notice {
        message: message("Hello & welcome"),
        ends_at: Some(NOW),
        ..Notice::new(Mode::Offline)
    };
    let set = set_of(policy_in(folder.path(), "template = \"503.html\""), notice);
    let page = body(&get(&set, &vec![BROWSER, ("accept-language", "fr")]));
    for part in [
        "<html lang=\"fr\" dir=\"ltr\">",
        "<blockquote>Hello &amp; welcome</blockquote>",
        "Fin prévue: <time datetime=\"2026-11-20T22:00:00Z\">2026-11-20 22:00 UTC</time>",
        "content=\"60\"",
        "Réessayer",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    let sent = body(&ask(&set, "POST", &vec![BROWSER]));
    assert!(sent.contains("What you sent was not received") && !sent.contains("refresh"));
}

#[test]
fn every_documented_variable_has_its_value() {
    let guide = include_str!("../../../docs/templates.md");
    let table = guide
        .split_once("## Variables")
        .unwrap()
        .1
        .split_once("Values are escaped")
        .unwrap()
        .0;
    let names: Vec<&str> = table
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `")?
                .split_once('`')
                .map(|(name, _)| name)
        })
        .collect();
    assert_eq!(names.len(), 14, "{names:?}");
    let folder = tempfile::tempdir().unwrap();
    let notice = Notice {
        message: message("m"),
        ends_at: Some(NOW),
        ..Notice::new(Mode::Offline)
    };
    for name in names {
        std::fs::write(
            folder.path().join("x"),
            format!("{{{{ {name} is defined and {name} is not none }}}}"),
        )
        .unwrap();
        let set = set_of(policy_in(folder.path(), "template = \"x\""), notice.clone());
        assert_eq!(body(&get(&set, &vec![BROWSER])), "True", "{name}");
    }
}

/// Counts the errors that are logged.
struct Errors(Arc<AtomicU32>);

impl tracing::Subscriber for Errors {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::ERROR
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_failing_template_is_reported_once_for_each_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("503.html"),
        "{% if bad %}{{ 1 // 0 }}{% endif %}",
    )
    .unwrap();
    let policy = policy_in(folder.path(), "template = \"503.html\"")
        .with_context(Arc::new(|_, _| context! { bad => true }));
    let policy = Arc::new(policy);
    let errors = Arc::new(AtomicU32::new(0));
    tracing::subscriber::with_default(Errors(Arc::clone(&errors)), || {
        for snapshots in 1..=2 {
            let set = AnswerSet::new(Arc::clone(&policy), Notice::new(Mode::Offline));
            for _ in 0..3 {
                assert_eq!(get(&set, &vec![BROWSER]).status(), 503);
            }
            assert_eq!(errors.load(Ordering::Relaxed), snapshots);
        }
    });
}
