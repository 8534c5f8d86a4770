//! `on`, `off`, `status` and `history`, as an operator meets them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::Site;

const TWO_SITES: &str = "
[sites.shop]
hosts = [\"shop.example\"]
[sites.blog]
hosts = [\"blog.example\"]
";

#[test]
fn closing_and_opening_is_told_by_words_and_by_exit_codes() {
    let site = Site::configured("");
    site.run(&["status"])
        .exits(0)
        .says("default: online")
        .says("never changed");
    site.run(&[
        "on",
        "--message",
        "Back at two.",
        "--why",
        "DB-1432",
        "--by",
        "bob",
    ])
    .exits(0)
    .remarks_nothing()
    .says("default: offline, was online")
    .says("maintenance off --if-activation ")
    .says("revision    1");
    site.run(&["status"])
        .exits(11)
        .says("default: offline since ")
        .says("bob")
        .says("DB-1432")
        .says("Back at two.")
        .says("maintenance-state.json, revision 1 of ");
    site.run(&["off", "--why", "done"])
        .exits(0)
        .says("default: online, was offline");
    site.run(&["status"]).exits(0).says("default: online");
}

#[test]
fn each_mode_has_its_exit_code() {
    let site = Site::configured("");
    for (mode, code) in [
        ("pending", 10),
        ("offline", 11),
        ("read-only", 12),
        ("read_only", 12),
        ("paused", 13),
    ] {
        site.run(&["on", "--mode", mode]).exits(0);
        let status = site.run(&["status", "--json"]).exits(code).json();
        assert_eq!(status["sites"][0]["mode"], mode.replace('-', "_"));
    }
    site.run(&["on", "--mode", "online"])
        .exits(2)
        .remarks("possible values: offline");
}

#[test]
fn the_site_that_closes_most_decides_the_exit_code() {
    let site = Site::configured(TWO_SITES);
    site.run(&["on", "--site", "shop", "--mode", "read-only"])
        .exits(0);
    site.run(&["status"]).exits(12);
    site.run(&["on", "--site", "blog", "--mode", "pending"])
        .exits(0);
    site.run(&["status"]).exits(10);
    site.run(&["status", "--site", "shop"]).exits(12);
    site.run(&["status", "--site", "default"]).exits(0);
    site.run(&["status", "--site", "zoo"])
        .exits(2)
        .remarks("known: default, blog, shop");
}

#[test]
fn an_order_that_is_fulfilled_changes_nothing() {
    let site = Site::configured("");
    let first = site.run(&["on", "--json"]).exits(0).json();
    assert_eq!(
        (&first["changed"], &first["revision"]),
        (&json!(true), &json!(1))
    );
    let again = site.run(&["on", "--json"]).exits(0).json();
    assert_eq!(
        (&again["changed"], &again["revision"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(
        first["sites"][0]["activation"],
        again["sites"][0]["activation"]
    );
    site.run(&["on"])
        .exits(0)
        .says("default: already offline since ");
    site.run(&["on", "--message", "Later."])
        .exits(0)
        .says("default: still offline since ")
        .says("Later.");
    site.run(&["off"]).exits(0);
    site.run(&["off"]).exits(0).says("default: already online");
    let history = site.run(&["history", "--json"]).exits(0).json();
    assert_eq!(history["changes"].as_array().unwrap().len(), 3);
}

#[test]
fn off_can_be_for_ones_own_period_only() {
    let site = Site::configured("");
    let mine = site.run(&["on", "--json"]).exits(0).json()["sites"][0]["activation"].clone();
    let mine = mine.as_str().unwrap();
    site.run(&["off"]).exits(0);
    site.run(&["on", "--by", "somebody else"]).exits(0);
    site.run(&["off", "--if-activation", mine])
        .exits(1)
        .remarks("left as it is");
    let status = site.run(&["status", "--json"]).exits(11).json();
    let theirs = status["sites"][0]["activation"]
        .as_str()
        .unwrap()
        .to_owned();
    site.run(&["off", "--if-activation", &theirs]).exits(0);
    site.run(&["off", "--if-activation", "mine"])
        .exits(2)
        .remarks("is not an activation id");
}

#[test]
fn with_several_sites_the_operator_says_which() {
    let site = Site::configured(TWO_SITES);
    for verb in ["on", "off", "activate", "deactivate"] {
        site.run(&[verb])
            .exits(2)
            .remarks("default, blog, shop")
            .remarks("--all-sites");
    }
    assert!(!site.path("maintenance-state.json").exists());
    site.run(&["on", "--site", "zoo"])
        .exits(2)
        .remarks("no site `zoo` is configured");
    site.run(&["on", "--site", "shop", "--all-sites"]).exits(2);
    site.run(&["on", "--site", "shop", "--site", "shop"])
        .exits(0)
        .says("shop: offline, was online")
        .remarks("host.unknown = \"open\"");
    site.run(&["on", "--all-sites"])
        .exits(0)
        .remarks_nothing()
        .says("shop: already offline")
        .says("blog: offline, was online");
    site.run(&["off", "--all-sites"]).exits(0);
    site.run(&["check"]).exits(0);
}

#[test]
fn unknown_hosts_are_not_mentioned_where_they_stay_open() {
    let config = format!("[host]\nunknown = \"open\"\n{TWO_SITES}");
    let site = Site::configured(&config);
    site.run(&["on", "--site", "shop"])
        .exits(0)
        .remarks_nothing();
}

#[test]
fn a_pinned_mode_refuses_the_switch_and_is_named() {
    let site = Site::configured("mode = \"offline\"\n");
    site.run(&["on"])
        .exits(2)
        .remarks("pinned to offline by `mode` in the configuration");
    site.run(&["off"]).exits(2).remarks("nothing was done");
    assert!(!site.path("maintenance-state.json").exists());
    site.run(&["status"])
        .exits(11)
        .says("by `mode` in the configuration; on and off are refused");

    let site = Site::configured("");
    let run = site
        .command(&["off"])
        .env("MAINTENANCE_MODE", "read-only")
        .output()
        .unwrap();
    support::Run::from(run)
        .exits(2)
        .remarks("the environment variable MAINTENANCE_MODE");

    let site = Site::configured("[sites.shop]\nhosts = [\"shop.example\"]\nmode = \"paused\"\n");
    site.run(&["on", "--all-sites"])
        .exits(2)
        .remarks("`sites.shop.mode` in the configuration");
    site.run(&["on", "--site", "default"]).exits(0);
}

#[test]
fn the_expected_end_is_understood_shown_and_missed() {
    let site = Site::configured("");
    site.run(&["on", "--for", "1h30m"])
        .exits(0)
        .says("(in 1 h ")
        .says("; it does not open by itself");
    let far = site
        .run(&["on", "--until", "2126-07-01 02:00", "--json"])
        .exits(0);
    assert_eq!(far.json()["sites"][0]["ends_at"], "2126-07-01T00:00:00Z");
    assert!(
        far.json()["warnings"][0]
            .as_str()
            .unwrap()
            .contains("search engines")
    );
    far.remarks("search engines take pages out");
    for wrong in ["yesterday", "2026-11-21", "2020-01-01T00:00:00Z"] {
        site.run(&["on", "--until", wrong])
            .exits(2)
            .remarks("--until");
    }
    site.run(&["on", "--until", "02:00", "--for", "1h"])
        .exits(2);
    site.run(&["on", "--for", "30"])
        .exits(2)
        .remarks("write 90s, 30m");

    let site = Site::configured("");
    site.run(&["on", "--for", "1s"]).exits(0);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while site.run(&["status", "--json"]).exits(11).json()["sites"][0]["overdue"] == false {
        assert!(std::time::Instant::now() < deadline, "never overdue");
    }
    site.run(&["status"]).exits(11).says("overdue by ");
}

#[test]
fn messages_come_from_options_files_and_standard_input() {
    let site = Site::configured("");
    site.write("message.txt", "First line\r\nsecond line\n");
    let message = |run: support::Run| run.exits(0).json()["sites"][0]["message"].clone();
    let from_file = message(site.run(&["on", "--json", "--message-file", "message.txt"]));
    assert_eq!(from_file, "First line\nsecond line");
    let piped = message(site.run_with_input(&["on", "--json", "--message-file", "-"], "Piped\n"));
    assert_eq!(piped, "Piped");
    site.run(&["on", "--message-file", "none.txt"])
        .exits(2)
        .remarks("none.txt");
    site.run(&["on", "--message", ""])
        .exits(2)
        .remarks("the message is empty");
    site.run(&["on", "--message", "a\u{1b}[31m"])
        .exits(2)
        .remarks("control character");
}

#[test]
fn the_history_says_who_from_where_and_why_the_latest_first() {
    let site = Site::configured(TWO_SITES);
    site.run(&["history"])
        .exits(0)
        .says("nothing was ever changed");
    site.run(&["on", "--site", "shop", "--why", "\u{1b}[31mred"])
        .exits(0);
    let sudo = site
        .command(&["off", "--site", "shop"])
        .env("SUDO_USER", "carol")
        .output()
        .unwrap();
    support::Run::from(sudo).exits(0);
    site.run(&["on", "--site", "blog"]).exits(0);

    let history = site.run(&["history", "--json"]).exits(0).json();
    let by: Vec<&Value> = history["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["by"])
        .collect();
    assert_eq!(by, ["alice", "carol", "alice"]);
    assert!(
        history["changes"][0]["via"]
            .as_str()
            .unwrap()
            .starts_with("cli@")
    );
    let limited = site
        .run(&["history", "--json", "--site", "shop", "--limit", "1"])
        .json();
    assert_eq!(limited["changes"].as_array().unwrap().len(), 1);
    assert_eq!(limited["changes"][0]["to"], "online");

    let table = site
        .run(&["history"])
        .exits(0)
        .says("online -> offline")
        .says("carol");
    assert!(table.out.starts_with("WHEN"), "{table:?}");
    let coloured = site
        .run(&["history", "--color", "always"])
        .exits(0)
        .says("\\u{1b}[31mred");
    assert!(
        !coloured.out.contains("\u{1b}[31m"),
        "foreign text steers the terminal: {coloured:?}"
    );
}

#[test]
fn many_processes_at_once_lose_no_change() {
    const PROCESSES: usize = 8;
    let site = Site::configured("");
    let children: Vec<_> = (0..PROCESSES)
        .map(|n| {
            site.command(&["on", "--message", &format!("number {n}")])
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let history = site.run(&["history", "--json"]).exits(0).json();
    assert_eq!(history["revision"], PROCESSES);
    assert_eq!(history["changes"].as_array().unwrap().len(), PROCESSES);
}

#[test]
fn the_backend_option_wins_and_starts_from_the_working_folder() {
    let site = Site::configured("backend = \"file:configured.json\"\n");
    site.run(&["--backend", "file:other.json", "on"]).exits(0);
    assert!(site.path("other.json").exists() && !site.path("configured.json").exists());
    std::fs::create_dir(site.path("etc")).unwrap();
    site.write("etc/site.toml", "backend = \"file:beside.json\"\n");
    site.run(&["on", "--config", "etc/site.toml"]).exits(0);
    assert!(
        site.path("etc/beside.json").exists(),
        "relative to the configuration"
    );
    let environment = site
        .command(&["status"])
        .env("MAINTENANCE_CONFIG", "etc/site.toml")
        .output()
        .unwrap();
    support::Run::from(environment)
        .exits(11)
        .says("beside.json");
}

#[test]
fn closing_without_a_configuration_warns_once_that_nobody_may_follow() {
    let site = Site::new();
    site.run(&["on"])
        .exits(0)
        .remarks("name its configuration with --config");
    site.run(&["on", "--mode", "paused"])
        .exits(0)
        .remarks_nothing();
    site.run(&["-v", "status"])
        .exits(13)
        .remarks("configuration: the defaults");
    let quiet = Site::new();
    quiet.run(&["-q", "on"]).exits(0).remarks_nothing();
}

/// With several sites the tool asks which one, so what it tells must name even the default one.
#[test]
fn the_command_that_opens_again_does() {
    for config in ["", "[sites.shop]\nhosts = [\"shop.example\"]\n"] {
        let site = Site::configured(config);
        let closed = site.run(&["on", "--site", "default"]).exits(0);
        let line = closed.out.lines().find(|line| line.contains("to open"));
        let (_, command) = line.unwrap().split_once("maintenance ").unwrap();
        let arguments: Vec<&str> = command.split_whitespace().collect();
        site.run(&arguments).exits(0);
        site.run(&["status"]).exits(0);
    }
}
