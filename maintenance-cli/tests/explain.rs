//! `explain` and `whoami`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::Site;

const CONFIG: &str = r#"
[allow]
paths = ["/robots.txt", { exact = "/login", methods = ["POST"] }]
addresses = ["192.0.2.0/24"]
roles = ["staff"]
tests = true
[client_ip]
source = "x-forwarded-for"
trusted = ["10.0.0.0/8"]
[logout]
authenticated = true
cookies = ["sessionid"]
[sites.shop]
hosts = ["shop.example"]
"#;

#[test]
fn one_request_is_explained_to_people() {
    let site = Site::configured(CONFIG);
    site.run(&["explain", "/robots.txt", "--mode", "offline"])
        .exits(0)
        .remarks_nothing()
        .says("allowed GET /robots.txt (path: /robots.txt)")
        .says(" 1. -     host")
        .says("allow path");
    site.run(&["explain", "POST", "/cart", "--mode", "offline"])
        .exits(0)
        .says("blocked POST /cart (offline)")
        .says("answer: 503 html")
        .says("  cache-control: no-store")
        .says("no --peer was given");
}

#[test]
fn every_option_reaches_the_decision() {
    let site = Site::configured(CONFIG);
    let reason = |more: &[&str]| {
        let mut arguments = vec!["explain", "--json"];
        arguments.extend(more);
        let answer = site.run(&arguments).exits(0).json();
        (
            answer["decision"].as_str().unwrap().to_owned(),
            answer["reason"].as_str().unwrap().to_owned(),
        )
    };
    for (more, decision, expected) in [
        (&["/x"][..], "allow", "online"),
        (&["/x", "--mode", "offline"], "block", "offline"),
        (&["/x", "--mode", "read_only"], "allow", "safe_method"),
        (&["POST", "/x", "--mode", "read-only"], "block", "read_only"),
        (
            &["/x", "--method", "POST", "--mode", "read-only"],
            "block",
            "read_only",
        ),
        (&["POST", "/login", "--mode", "offline"], "allow", "path"),
        (
            &["/x", "--peer", "192.0.2.7", "--mode", "offline"],
            "allow",
            "address",
        ),
        (
            &[
                "/x",
                "--peer",
                "10.0.0.1",
                "-H",
                "X-Forwarded-For: 192.0.2.7",
                "--mode",
                "offline",
            ],
            "allow",
            "address",
        ),
        (
            &[
                "/x",
                "--peer",
                "203.0.113.1",
                "-H",
                "X-Forwarded-For: 192.0.2.7",
                "--mode",
                "offline",
            ],
            "block",
            "offline",
        ),
        (
            &["/x", "--peer", "unix", "--mode", "offline"],
            "block",
            "offline",
        ),
        (
            &["/x", "--role", "staff", "--mode", "offline"],
            "allow",
            "role",
        ),
        (
            &["/x", "--user", "7", "--mode", "offline"],
            "block",
            "offline",
        ),
        (&["/x", "--test", "--mode", "offline"], "allow", "test"),
        (
            &["http://shop.example/x", "--site-mode", "shop=offline"],
            "block",
            "offline",
        ),
        (
            &[
                "/x",
                "--host",
                "shop.example",
                "--site-mode",
                "shop=offline",
            ],
            "block",
            "offline",
        ),
        (
            &[
                "/x",
                "--host",
                "blog.example",
                "--site-mode",
                "shop=offline",
            ],
            "block",
            "unknown_host",
        ),
        (
            &[
                "/x",
                "--host",
                "shop.example",
                "--mode",
                "offline",
                "--site-mode",
                "shop=online",
            ],
            "allow",
            "online",
        ),
    ] {
        assert_eq!(
            reason(more),
            (decision.to_owned(), expected.to_owned()),
            "{more:?}"
        );
    }
    let answer = site
        .run(&[
            "explain",
            "/x",
            "--authenticated",
            "--mode",
            "offline",
            "--json",
        ])
        .json();
    assert_eq!(answer["logout"], true);
}

#[test]
fn mistakes_on_the_command_line_are_named() {
    let site = Site::configured(CONFIG);
    for (arguments, remark) in [
        (&["explain"][..], "TARGET"),
        (&["explain", "GET", "/x", "--method", "POST"], "given twice"),
        (
            &["explain", "/x", "--peer", "10.0.0.1:80"],
            "`10.0.0.1:80` is not a peer",
        ),
        (&["explain", "/x", "-H", "no colon"], "Name: value"),
        (
            &["explain", "/x", "--site-mode", "zoo=offline"],
            "no site `zoo`",
        ),
        (&["explain", "/x", "--site-mode", "shop"], "NAME=MODE"),
        (
            &["explain", "/x", "--at", "noon"],
            "--at: `noon` is not a time",
        ),
        (&["explain", "/x", "--requests", "-"], "cannot be used with"),
        (&["whoami"], "--peer"),
    ] {
        site.run(arguments).exits(2).remarks(remark);
    }
    site.run(&["explain", "--mode", "offline", "--requests", "none.jsonl"])
        .exits(1)
        .remarks("none.jsonl");
}

#[test]
fn without_a_mode_the_stored_state_answers_at_the_time_asked() {
    let site = Site::configured("");
    site.run(&["on", "--until", "2126-01-01T00:00:00Z"])
        .exits(0);
    let at = ["explain", "/x", "--json", "--at", "2125-12-31T23:50:00Z"];
    let retry = site.run(&at).json()["answer"]["headers"]["retry-after"].clone();
    let seconds: u64 = retry.as_str().unwrap().parse().unwrap();
    assert!((600..1200).contains(&seconds), "{seconds}");
    let stored = site.run(&["explain", "/x", "--json"]).exits(0).json();
    assert_eq!(stored["decision"], "block");
    let open = site
        .run(&["explain", "/x", "--json", "--mode", "online"])
        .exits(0)
        .json();
    assert_eq!(open["decision"], "allow");
    let line = site.run_with_input(
        &["explain", "--requests", "-"],
        "{\"target\":\"/x\",\"site_modes\":{\"default\":\"online\"}}\n",
    );
    assert_eq!(line.json()["decision"], "allow");
}

#[test]
fn a_pinned_mode_beats_what_is_asked() {
    let site = Site::configured("mode = \"offline\"\n");
    let run = site
        .run(&["explain", "/x", "--mode", "online", "--json"])
        .exits(0)
        .remarks("`mode` in the configuration pins it");
    assert_eq!(run.json()["decision"], "block");
    let line = site.run_with_input(
        &["explain", "--requests", "-"],
        "{\"target\":\"/x\",\"site_modes\":{\"default\":\"online\"}}\n",
    );
    assert_eq!(line.json()["decision"], "block");
}

#[test]
fn each_line_is_answered_by_one_line_in_order() {
    let site = Site::configured(CONFIG);
    let input = r#"{"target":"/robots.txt"}

{"target":"/a"
{"targt":"/b"}
{"method":"POST"}
{"target":"/c","peer":"nowhere"}
{"target":"/d","site_modes":{"zoo":"offline"}}
{"target":"/e","headers":[["Host","shop.example"]],"site_modes":{"shop":"online"}}
{"target":"/f","user":"7"}"#;
    let run = site
        .run_with_input(&["explain", "--mode", "offline", "--requests", "-"], input)
        .exits(1)
        .remarks("error: -:3: ")
        .remarks("error: -:4: unknown field `targt`")
        .remarks("error: -:5: `target` is missing")
        .remarks("error: -:6: `nowhere` is not a peer")
        .remarks("error: -:7: no site `zoo` is configured; known: default, shop");
    let lines = run.json_lines();
    let shape: Vec<Value> = lines
        .iter()
        .map(|line| match &line["decision"] {
            Value::Null => line["line"].clone(),
            decision => decision.clone(),
        })
        .collect();
    assert_eq!(
        shape,
        [
            json!("allow"),
            json!(3),
            json!(4),
            json!(5),
            json!(6),
            json!(7),
            json!("allow"),
            json!("block")
        ]
    );
    let keys = [
        "decision",
        "reason",
        "rule",
        "site",
        "client_ip",
        "logout",
        "answer",
        "steps",
    ];
    for key in keys {
        assert!(lines[7].get(key).is_some(), "{key} in {}", lines[7]);
    }
    assert_eq!(lines[0]["rule"], "/robots.txt");
    assert_eq!(lines[7]["logout"], true);
    assert_eq!(lines[7]["answer"]["status"], 503);
    assert_eq!(lines[7]["answer"]["headers"]["x-maintenance"], "1");

    site.write(
        "cases.jsonl",
        b"{\"target\":\"/\xff\"}\n{\"target\":\"/\"}\n",
    );
    let run = site
        .run(&["explain", "--mode", "offline", "--requests", "cases.jsonl"])
        .exits(1)
        .remarks("cases.jsonl:1: not UTF-8");
    assert_eq!(run.json_lines().len(), 2);
}

#[test]
fn whoami_says_which_address_is_seen_and_what_it_meets() {
    let site = Site::configured(CONFIG);
    site.run(&[
        "whoami",
        "--peer",
        "10.0.0.2",
        "-H",
        "X-Forwarded-For: 192.0.2.7, 10.0.0.9",
    ])
    .exits(0)
    .says("client 192.0.2.7")
    .says("`10.0.0.9`) is trusted by 10.0.0.0/8")
    .says("at site `shop` by 192.0.2.0/24");
    site.run(&[
        "whoami",
        "--peer",
        "203.0.113.9",
        "-H",
        "X-Forwarded-For: 192.0.2.7",
    ])
    .exits(0)
    .says("client 203.0.113.9")
    .says("no rule in allow.addresses admits it");
    site.run(&["whoami", "--peer", "unix"])
        .exits(1)
        .says("unresolved(unix_peer)");
    let run = site.run_with_input(
        &["whoami", "--json", "--request", "-"],
        r#"{"peer":"10.0.0.2","headers":[["X-Forwarded-For","192.0.2.7"]]}"#,
    );
    let answer = run.exits(0).json();
    assert_eq!(answer["client_ip"], "192.0.2.7");
    assert_eq!(
        answer["rules"][0],
        json!({"site": "default", "rule": "192.0.2.0/24"})
    );
    assert!(
        !site.path("maintenance-state.json").exists(),
        "no backend is needed"
    );
}
