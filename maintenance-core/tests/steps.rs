//! The ten steps of the decision, each alone and in its order.

use std::sync::Arc;

use maintenance_mode::explain::Verdict;
use maintenance_mode::policy::Complaints;
use maintenance_mode::policy::config::LogoutConfig;
use maintenance_mode::{
    Config, Decision, Facts, Mode, PathRuleConfig, Peer, Policy, RouteOverride, Snapshot,
    Timestamp, User, Visitor,
};

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn snapshot(config: Config) -> Snapshot {
    let policy = Policy::compile(config).unwrap_or_else(|complaints| panic!("{complaints}"));
    Snapshot::new(Arc::new(policy), None)
}

fn offline() -> Config {
    Config::new().mode(Mode::Offline)
}

/// The reason's code, with `!` for a log-out; `explain` must say the same.
fn reason(snapshot: &Snapshot, facts: &Facts<'_>) -> String {
    let decision = snapshot.decide(facts, NOW);
    let explained = snapshot.explain(facts, NOW);
    assert_eq!(explained.reason, decision.reason().code());
    assert_eq!(explained.logout, decision.logs_out());
    assert_eq!(explained.decision == Verdict::Allow, decision.is_allowed());
    let word = if decision.is_allowed() {
        "allow"
    } else {
        "block"
    };
    format!(
        "{word} {}{}",
        decision.reason(),
        if decision.logs_out() { "!" } else { "" }
    )
}

fn peer(text: &str) -> Peer {
    text.parse().map_or(Peer::Unknown, Peer::Addr)
}

#[test]
fn an_override_goes_before_everything() {
    let open = snapshot(Config::new());
    let closed = snapshot(offline().allow_path("/a"));
    let on = Facts::new("GET", "/a").route_override(Some(RouteOverride::ForceOn));
    let off = Facts::new("GET", "/b").route_override(Some(RouteOverride::ForceOff));
    assert_eq!(reason(&open, &on), "block force_on");
    assert_eq!(
        reason(&closed, &on),
        "block force_on",
        "it beats every exemption"
    );
    assert_eq!(reason(&open, &off), "allow force_off");
    assert_eq!(reason(&closed, &off), "allow force_off");
    let Decision::Block(block) = open.decide(&on, NOW) else {
        panic!("forced on")
    };
    assert_eq!(
        (block.mode(), block.answer(&on).status()),
        (Mode::Offline, 503)
    );
}

#[test]
fn health_control_assets_and_the_redirect_target_stay_open() {
    let mut config = offline();
    config.answer.redirect = Some("/closed".to_owned());
    config.answer.assets = Some(vec!["/closed-assets/**".into()]);
    let snapshot = snapshot(config);
    for (facts, expected) in [
        (Facts::new("GET", "/healthz"), "allow health"),
        (Facts::new("GET", "/healthz/x"), "block offline"),
        (
            Facts::new("POST", "/anything").control(true),
            "allow control",
        ),
        (Facts::new("GET", "/closed"), "allow redirect_target"),
        (Facts::new("GET", "/closed/"), "block offline"),
        (Facts::new("GET", "/closed-assets/logo.svg"), "allow asset"),
    ] {
        assert_eq!(reason(&snapshot, &facts), expected, "{}", facts.path);
    }
}

#[test]
fn tests_pass_only_if_the_policy_says_so() {
    let facts = Facts::new("GET", "/").test(true);
    assert_eq!(reason(&snapshot(offline()), &facts), "block offline");
    assert_eq!(
        reason(&snapshot(offline().allow_tests(true)), &facts),
        "allow test"
    );
    let headers = [("x-test", "true"), ("x-maintenance-test", "1")];
    let header = Facts::new("GET", "/").headers(&headers);
    assert_eq!(
        reason(&snapshot(offline().allow_tests(true)), &header),
        "block offline"
    );
}

#[test]
fn the_cheaper_rule_is_the_reason() {
    let config = offline()
        .allow_path(PathRuleConfig::prefix("/a"))
        .allow_address("192.0.2.0/24")
        .allow_header("X-Key", "0123456789abcdef0123456789abcdef")
        .allow_role("staff");
    let policy = Policy::builder(config)
        .custom("beta testers", |facts| facts.query == Some("beta"))
        .build()
        .unwrap_or_else(|complaints| panic!("{complaints}"));
    let snapshot = Snapshot::new(Arc::new(policy), None);
    let key = [("x-key", "0123456789abcdef0123456789abcdef")];
    let staff = Visitor::User(User::new("7").roles(&["staff"]));
    let mut all = Facts::new("GET", "/a")
        .peer(peer("192.0.2.1"))
        .headers(&key)
        .query(Some("beta"))
        .visitor(staff);
    assert_eq!(reason(&snapshot, &all), "allow path");
    all.path = "/";
    assert_eq!(reason(&snapshot, &all), "allow address");
    all.peer = Peer::Unknown;
    assert_eq!(reason(&snapshot, &all), "allow bypass_header");
    all.headers = &maintenance_mode::NoHeaders;
    assert_eq!(reason(&snapshot, &all), "allow custom");
    assert_eq!(
        snapshot.explain(&all, NOW).rule.as_deref(),
        Some("beta testers")
    );
    all.query = None;
    assert_eq!(reason(&snapshot, &all), "allow role");
    assert_eq!(snapshot.explain(&all, NOW).rule.as_deref(), Some("staff"));
}

#[test]
fn a_doubled_or_altered_bypass_header_does_not_admit() {
    let value = "0123456789abcdef0123456789abcdef";
    let snapshot = snapshot(offline().allow_header("X-Key", value));
    let long = "x".repeat(1 << 20);
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[("X-KEY", value)], "allow bypass_header"),
        (&[("x-key", value), ("x-key", value)], "block offline"),
        (&[("x-key", &value[1..])], "block offline"),
        (
            &[("x-key", "0123456789abcdef0123456789abcdef0")],
            "block offline",
        ),
        (
            &[("x-key", "0123456789ABCDEF0123456789ABCDEF")],
            "block offline",
        ),
        (&[("x-key", "")], "block offline"),
        (&[("x_key", value)], "block offline"),
        (
            &[("cookie", "x-key=0123456789abcdef0123456789abcdef")],
            "block offline",
        ),
        (&[("x-key", &long)], "block offline"),
    ];
    for (headers, expected) in cases {
        let facts = Facts::new("GET", "/").headers(&headers);
        assert_eq!(reason(&snapshot, &facts), expected, "{}", headers.len());
    }
    let bytes: [(&str, &[u8]); 1] = [("x-key", b"\xff\x00\xfe")];
    assert_eq!(
        reason(&snapshot, &Facts::new("GET", "/").headers(&bytes)),
        "block offline"
    );
}

#[test]
fn the_visitor_is_asked_for_only_when_nothing_cheaper_decided() {
    let with_roles = offline()
        .allow_role("staff")
        .allow_path("/a")
        .allow_address("192.0.2.1");
    let cases = [
        (
            Config::new().allow_role("staff"),
            Facts::new("GET", "/"),
            false,
        ),
        (with_roles.clone(), Facts::new("GET", "/"), true),
        (with_roles.clone(), Facts::new("GET", "/a"), false),
        (
            with_roles.clone(),
            Facts::new("GET", "/").peer(peer("192.0.2.1")),
            false,
        ),
        (
            with_roles,
            Facts::new("GET", "/").visitor(Visitor::Anonymous),
            false,
        ),
        (offline(), Facts::new("GET", "/"), false),
        (
            Config::new().mode(Mode::Pending),
            Facts::new("GET", "/"),
            true,
        ),
        (
            offline().logout(LogoutConfig {
                authenticated: true,
                ..LogoutConfig::default()
            }),
            Facts::new("GET", "/"),
            true,
        ),
    ];
    for (number, (config, facts, expected)) in cases.into_iter().enumerate() {
        assert_eq!(
            snapshot(config).needs_visitor(&facts, NOW),
            expected,
            "case {number}"
        );
    }
}

#[test]
fn visitor_rules() {
    let user = |roles: &'static [&'static str]| Visitor::User(User::new("7").roles(roles));
    let cases = [
        (
            offline().allow_authenticated(true),
            user(&[]),
            "allow authenticated",
        ),
        (
            offline().allow_authenticated(true),
            Visitor::Anonymous,
            "block offline",
        ),
        (
            offline().allow_anonymous(true),
            Visitor::Anonymous,
            "allow anonymous",
        ),
        (offline().allow_anonymous(true), user(&[]), "block offline"),
        (
            offline().allow_role("editor"),
            user(&["staff", "editor"]),
            "allow role",
        ),
        (
            offline().allow_role("editor"),
            user(&["edito"]),
            "block offline",
        ),
        (
            Config::new().mode(Mode::Pending),
            Visitor::User(User::new("7").inside(true)),
            "allow inside",
        ),
        (
            Config::new().mode(Mode::Pending),
            user(&[]),
            "block pending",
        ),
        (
            offline(),
            Visitor::User(User::new("7").inside(true)),
            "block offline",
        ),
    ];
    for (number, (config, visitor, expected)) in cases.into_iter().enumerate() {
        let facts = Facts::new("GET", "/").visitor(visitor);
        assert_eq!(reason(&snapshot(config), &facts), expected, "case {number}");
    }
}

#[test]
fn only_those_whom_nothing_lets_through_are_logged_out() {
    let logout = |staff, superuser| LogoutConfig {
        authenticated: true,
        staff,
        superuser,
        cookies: vec!["sessionid".to_owned()],
    };
    let user = |roles: &'static [&'static str]| Visitor::User(User::new("7").roles(roles));
    let cases = [
        (
            offline().logout(logout(None, None)),
            "/",
            user(&[]),
            "block offline!",
        ),
        (
            offline().logout(logout(None, None)),
            "/",
            Visitor::Anonymous,
            "block offline",
        ),
        (
            offline().logout(logout(None, None)),
            "/healthz",
            user(&[]),
            "allow health",
        ),
        (
            offline().logout(logout(Some(false), None)),
            "/",
            user(&["staff"]),
            "block offline",
        ),
        (
            offline().logout(logout(Some(false), Some(true))),
            "/",
            user(&["staff", "superuser"]),
            "block offline!",
        ),
        (
            offline().logout(logout(Some(true), Some(false))),
            "/",
            user(&["staff", "superuser"]),
            "block offline",
        ),
        (
            offline().logout(logout(None, None)).allow_role("staff"),
            "/",
            user(&["staff"]),
            "allow role",
        ),
        (
            offline().logout(logout(None, None)).allow_anonymous(true),
            "/",
            user(&[]),
            "allow anonymous!",
        ),
        (
            Config::new()
                .mode(Mode::ReadOnly)
                .logout(logout(None, None)),
            "/",
            user(&[]),
            "allow safe_method",
        ),
        (
            Config::new().logout(logout(None, None)),
            "/",
            user(&[]),
            "allow online",
        ),
    ];
    for (number, (config, path, visitor, expected)) in cases.into_iter().enumerate() {
        let snapshot = snapshot(config);
        let facts = Facts::new("GET", path).visitor(visitor);
        assert_eq!(reason(&snapshot, &facts), expected, "case {number}");
        if let Decision::Block(block) = snapshot.decide(&facts, NOW) {
            let expired: &[String] = if block.logout {
                &["sessionid".to_owned()]
            } else {
                &[]
            };
            assert_eq!(block.expired_cookies(), expired, "case {number}");
        }
    }
}

#[test]
fn a_read_only_site_lets_reading_through() {
    let snapshot = snapshot(
        Config::new()
            .mode(Mode::ReadOnly)
            .allow_path(PathRuleConfig::exact("/login").methods(["POST"])),
    );
    let upgrade = [("upgrade", "websocket")];
    for (facts, expected) in [
        (Facts::new("GET", "/"), "allow safe_method"),
        (Facts::new("HEAD", "/"), "allow safe_method"),
        (Facts::new("POST", "/"), "block read_only"),
        (Facts::new("POST", "/login"), "allow path"),
        (
            Facts::new("POST", "/login").effective_method(Some("DELETE")),
            "block read_only",
        ),
        (
            Facts::new("GET", "/").effective_method(Some("POST")),
            "block read_only",
        ),
        (Facts::new("GET", "/").headers(&upgrade), "block read_only"),
        (Facts::new("GET", "/a//b"), "allow safe_method"),
    ] {
        assert_eq!(
            reason(&snapshot, &facts),
            expected,
            "{} {}",
            facts.method,
            facts.path
        );
    }
}

#[test]
fn a_site_has_rules_and_answers_of_its_own() -> Result<(), Complaints> {
    let config = Config::from_toml(
        r#"
        mode = "offline"
        [allow]
        paths = ["/common"]
        roles = ["staff"]
        [sites.shop]
        hosts = ["shop.example"]
        [sites.shop.allow]
        paths = ["/cart"]
        [sites.shop.answer]
        format = "json"
        status = 500
        [[answer.rules]]
        prefix = "/api"
        format = "json"
        "#,
    )?;
    let snapshot = snapshot(config);
    let shop = [("host", "shop.example"), ("accept", "text/html")];
    let main = [("host", "www.example"), ("accept", "text/html")];
    let staff = Visitor::User(User::new("7").roles(&["staff"]));
    for (facts, expected) in [
        (Facts::new("GET", "/common").headers(&main), "allow path"),
        (Facts::new("GET", "/cart").headers(&main), "block offline"),
        (Facts::new("GET", "/common").headers(&shop), "block offline"),
        (Facts::new("GET", "/cart").headers(&shop), "allow path"),
        (
            Facts::new("GET", "/x").headers(&shop).visitor(staff),
            "allow role",
        ),
    ] {
        assert_eq!(reason(&snapshot, &facts), expected, "{}", facts.path);
    }
    for (path, headers, expected) in [
        ("/", &shop, ("json", 500)),
        ("/", &main, ("html", 503)),
        ("/api/x", &main, ("json", 503)),
        ("/apix", &main, ("html", 503)),
    ] {
        let answer = snapshot
            .explain(&Facts::new("GET", path).headers(headers), NOW)
            .answer;
        let answer = answer.map(|a| (a.format, a.status));
        assert_eq!(answer, Some((expected.0.to_owned(), expected.1)), "{path}");
    }
    Ok(())
}
