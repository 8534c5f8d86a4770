//! What is refused when the configuration is read.

use super::*;

fn complaints_in(base: &Path, toml: &str) -> Vec<String> {
    let mut complaints = Complaints::new();
    let policy = AnswerPolicy::compile(&config(toml), "sites.shop.answer", base, &mut complaints);
    // The policy is usable nevertheless.
    let set = set_of(policy, Notice::new(Mode::Offline));
    assert!(get(&set, &vec![BROWSER]).status() >= 200);
    complaints.iter().map(ToString::to_string).collect()
}

fn complaint(toml: &str) -> String {
    let found = complaints_in(Path::new("."), toml);
    assert_eq!(found.len(), 1, "{toml}: {found:?}");
    found[0].clone()
}

#[test]
fn the_default_is_good() {
    assert_eq!(complaints_in(Path::new("."), ""), [""; 0]);
}

#[test]
fn all_at_once_each_with_its_place_and_cure() {
    let found = complaints_in(
        Path::new("."),
        r#"
status = 302
retry_after = "soon"
redirect = "//evil.example"
redirect_status = 301
languages = ["en", "nl", "EN"]
title = ""
message = "a\u0000b"
cors = ["*"]
template = "missing.html"
"#,
    );
    let places: Vec<&str> = found
        .iter()
        .map(|c| c.split(": ").next().unwrap())
        .collect();
    let mut sorted = places.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "sites.shop.answer.cors[0]",
            "sites.shop.answer.languages[1]",
            "sites.shop.answer.languages[2]",
            "sites.shop.answer.message",
            "sites.shop.answer.redirect",
            "sites.shop.answer.redirect_status",
            "sites.shop.answer.retry_after",
            "sites.shop.answer.status",
            "sites.shop.answer.template",
            "sites.shop.answer.title",
        ]
    );
}

#[test]
fn statuses() {
    for good in [200, 400, 403, 404, 429, 500, 502, 503, 504, 520, 599] {
        assert_eq!(
            complaints_in(Path::new("."), &format!("status = {good}")),
            [""; 0],
            "{good}"
        );
    }
    for bad in [
        0, 100, 201, 204, 301, 302, 304, 401, 405, 407, 408, 416, 421, 425, 426, 600, 65535,
    ] {
        let text = complaint(&format!("status = {bad}"));
        assert!(
            text.contains(&bad.to_string()) && text.contains("hint: write 503"),
            "{text}"
        );
    }
}

#[test]
fn unknown_languages_name_the_known_ones() {
    let text = complaint("languages = [\"tlh\"]");
    assert!(
        text.contains("`tlh`") && text.contains("en, de, fr, es, it, pt, ja, zh"),
        "{text}"
    );
    assert!(complaint("languages = []").contains("empty"));
}

#[test]
fn a_redirect_needs_a_target_and_must_not_be_a_loop() {
    assert!(complaint("format = \"redirect\"").contains("needs a target"));
    assert!(complaint("redirect = \"/\"").contains("closed too"));
}

#[test]
fn pages_and_templates() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    write("good.html", b"<h1>{{ heading }}</h1>");
    write("syntax.html", b"<h1>\n{% if x %}\n{{ heading }");
    write("fails.html", b"line\nline\n{{ message.nope() }}");
    write("includes.html", b"{% include 'other.html' %}");
    write(
        "branch.html",
        b"{% if sent and mode == 'paused' %}{{ 1 / 0 }}{% endif %}",
    );
    write("latin1.html", b"<h1>Gr\xfc\xdfe</h1>");
    write("large.html", &vec![b'x'; 1024 * 1024 + 1]);
    std::fs::create_dir(folder.path().join("folder")).unwrap();

    let found = |toml: &str| complaints_in(folder.path(), toml);
    for good in [
        "template = \"good.html\"",
        "page = \"good.html\"",
        "page = \"syntax.html\"",
    ] {
        assert_eq!(found(good), [""; 0], "{good}");
    }
    for (bad, part) in [
        ("template = \"none.html\"", "cannot read"),
        ("template = \"folder\"", "is not a file"),
        ("template = \"syntax.html\"", "line 3"),
        ("template = \"fails.html\"", "line 3"),
        ("template = \"includes.html\"", "other.html"),
        ("template = \"branch.html\"", "line 1"),
        ("template = \"latin1.html\"", "UTF-8"),
        ("page = \"latin1.html\"", "UTF-8"),
        ("page = \"large.html\"", "1048577 bytes"),
        (
            "page = \"good.html\"\ntemplate = \"good.html\"",
            "contradict",
        ),
    ] {
        let complaints = found(bad);
        assert_eq!(complaints.len(), 1, "{bad}: {complaints:?}");
        assert!(complaints[0].contains(part), "{bad}: {}", complaints[0]);
    }
}
