//! Everything that is wrong with a configuration is said at once, each with its place and cure.

use std::fs;

use maintenance_mode::policy::Complaints;
use maintenance_mode::{Config, Mode, Policy};

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

/// Reads and compiles; the complaints as text.
fn complaints(text: &str) -> String {
    let outcome = Config::from_toml(text).and_then(Policy::compile);
    outcome.err().map(|c| c.to_string()).unwrap_or_default()
}

#[test]
fn the_documented_configuration_is_accepted() -> Result<(), Complaints> {
    let config = Config::from_toml(
        r#"
        backend = "file:maintenance-state.json"
        mode    = "offline"
        [allow]
        health    = ["/healthz", "/livez", "/readyz"]
        paths     = ["/robots.txt", "/assets/**", { prefix = "/admin" }, { regex = "/v[0-9]+/ping", methods = ["GET"] }]
        addresses = ["192.0.2.0/24", "2001:db8::1"]
        roles     = ["staff", "superuser"]
        authenticated = false
        anonymous     = false
        tests         = false
        header    = { name = "X-Maintenance-Bypass", value = "…" }
        [host]
        source  = "host"
        unknown = "strict"
        [client_ip]
        source  = "x-forwarded-for"
        trusted = ["10.0.0.0/8"]
        hops = 1
        trust_unix = true
        [logout]
        authenticated = true
        staff = false
        cookies       = ["sessionid"]
        [answer]
        format      = "auto"
        status      = 503
        retry_after = "auto"
        rules       = [{ prefix = "/api", format = "json" }]
        [sites.shop]
        hosts = ["shop.example.com", "*.shop.example.com"]
        "#,
    )?;
    assert_eq!(config.mode, Some(Mode::Offline));
    let policy = Policy::compile(config)?;
    assert!(
        policy.warnings().to_string().contains("can be guessed"),
        "{}",
        policy.warnings()
    );
    Ok(())
}

#[test]
fn every_unknown_key_and_wrong_type_is_named_at_once_with_its_line() {
    let text = complaints(
        r#"mode = "of"
[alow]
[allow]
path = ["/x"]
paths = ["/a", 5, 6, { prefx = "/b" }]
authenticated = "yes"
[sites.Shop]
[sites.shop]
host = ["a.example"]
"#,
    );
    for expected in [
        "line 1: mode: `of` is not a mode",
        "line 2: alow: unknown key `alow`",
        "did you mean `allow`?",
        "line 4: allow.path: unknown key `path`",
        "did you mean `paths`?",
        "line 5: allow.paths[1]: ",
        "line 5: allow.paths[2]: ",
        "line 5: allow.paths[3].prefx: unknown key `prefx`",
        "line 6: allow.authenticated: ",
        "`Shop` is not a site's name",
        "line 9: sites.shop.host: unknown key `host`",
        "did you mean `hosts`?",
    ] {
        assert!(text.contains(expected), "{expected} is missing in:\n{text}");
    }
}

#[test]
fn every_bad_rule_is_named_at_once_with_its_cure() {
    let text = complaints(
        r#"
        [allow]
        health = ["/live*"]
        paths = ["admin", { prefix = "/" }, { exact = "/a", prefix = "/b" }, { regex = "(" }, { exact = "/x", methods = ["get"] }]
        addresses = ["198.51.100.*", "198.51.100.7/24"]
        roles = [" "]
        header = { name = "X Y", value = "" }
        [client_ip]
        source = "x-forwarded-for"
        [host]
        source = "x-forwarded-host"
        [logout]
        cookies = ["a=b"]
        [state]
        poll_seconds = 0
        [answer]
        status = 999
        redirect = "//evil.example"
        rules = [{ format = "json" }]
        [read_only]
        safe_methods = ["bad method"]
        [sites.default]
        hosts = ["x.example"]
        [sites.shop]
        hosts = []
        [sites.circle]
        hosts = ["circle.example"]
        [sites.circle.answer]
        redirect = "https://Circle.example:443/closed"
        [sites.blog]
        hosts = ["http://blog.example", "blog.example:80", "a.*.example", "blog.example", "BLOG.example."]
        "#,
    );
    for expected in [
        "allow.health[0]",
        "allow.paths[0]: `admin` can never match",
        "begin the path with `/`",
        "allow.paths[1]: the prefix `/` exempts every path",
        "allow.paths[2]: the rule has exact and prefix at once",
        "allow.paths[3]: ",
        "allow.paths[4].methods[0]: `get` would never match",
        "write `GET`",
        "allow.addresses[0]",
        "allow.addresses[1]",
        "allow.roles[0]: a role needs a name",
        "allow.header.name",
        "the secret value is empty",
        "client_ip.trusted",
        "host.source: x-forwarded-host can be forged",
        "logout.cookies[0]: `a=b` is not a cookie name",
        "state.poll_seconds: 0 is out of range",
        "answer.status",
        "answer.redirect",
        "answer.rules[0]: the rule says no path",
        "read_only.safe_methods[0]",
        "sites.default: `default` is every host that no site claims",
        "sites.circle.answer.redirect: `https://Circle.example:443/closed` is on a host of the site itself",
        "sites.shop.hosts: a site without hosts is never chosen",
        "write the host alone, without scheme and path",
        "the port does not select a site",
        "a wildcard stands for the first label alone",
        "`BLOG.example.` stands here twice",
    ] {
        assert!(text.contains(expected), "{expected} is missing in:\n{text}");
    }
}

#[test]
fn what_is_not_toml_is_said_with_its_line() {
    assert!(
        complaints("mode = \n").starts_with("line 1: not TOML"),
        "{}",
        complaints("mode = \n")
    );
}

#[test]
fn the_environment_wins_and_names_itself() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("maintenance.toml");
    fs::write(
        &file,
        "mode = \"offline\"\n[allow]\npaths = [\"/a\"]\n[sites.my-shop]\nhosts = [\"a.example\"]\n",
    )?;
    let loaded = Config::load(
        Some(&file),
        environment(&[
            ("MAINTENANCE_MODE", "read-only"),
            ("MAINTENANCE_ALLOW_PATHS", "/x, /y/**"),
            ("MAINTENANCE_ALLOW_AUTHENTICATED", "true"),
            ("MAINTENANCE_ALLOW_HEADER_NAME", "X-Key"),
            ("MAINTENANCE_ALLOW_HEADER_VALUE", "0123456789abcdef"),
            ("MAINTENANCE_STATE_POLL_SECONDS", "2"),
            ("MAINTENANCE_SITES_MY_SHOP_HOSTS", "[\"b.example\"]"),
            ("MAINTENANCE_CONFIG", "elsewhere.toml"),
            ("MAINTENANCE_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("MAINTENANCE_ALOW_ROLES", "staff"),
            ("PATH", "/bin"),
        ]),
    )?;
    let mut expected = Config::new()
        .mode(Mode::ReadOnly)
        .allow_path("/x")
        .allow_path("/y/**")
        .allow_authenticated(true);
    expected = expected.allow_header("X-Key", "0123456789abcdef");
    expected.state.poll_seconds = 2.0;
    let site = maintenance_mode::policy::config::SiteConfig::hosts(["b.example"]);
    expected = expected.site("my-shop".parse()?, site);
    assert_eq!(loaded.config, expected);
    let warnings = loaded.warnings.to_string();
    assert!(warnings.contains("MAINTENANCE_PORT_80_TCP"), "{warnings}");
    assert!(
        warnings.contains("did you mean `MAINTENANCE_ALLOW_ROLES`?"),
        "{warnings}"
    );
    assert_eq!(loaded.warnings.iter().count(), 2, "{warnings}");

    let bad = Config::load(
        Some(&file),
        environment(&[
            ("MAINTENANCE_MODE", "shut"),
            ("MAINTENANCE_ALLOW_TESTS", "maybe"),
        ]),
    );
    let text = bad.err().map(|c| c.to_string()).unwrap_or_default();
    assert!(
        text.contains("MAINTENANCE_MODE (mode): `shut` is not a mode"),
        "{text}"
    );
    assert!(
        text.contains("MAINTENANCE_ALLOW_TESTS: `maybe` is neither"),
        "{text}"
    );
    Ok(())
}

#[test]
fn secrets_come_from_one_place_and_are_shown_nowhere() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    fs::write(
        folder.path().join("key"),
        "0123456789abcdef0123456789abcdef\n",
    )?;
    let config = Config::from_toml("[allow]\nheader = { name = \"X-Key\", value_file = \"key\" }")?;
    let policy = Policy::builder(config).base(folder.path()).build()?;
    assert!(policy.warnings().is_empty(), "{}", policy.warnings());

    let config = Config::new().allow_header("X-Key", "do-not-show-this");
    let shown = format!(
        "{config:?} {:?} {}",
        Policy::compile(config.clone())?,
        toml::to_string(&config)?
    );
    assert!(!shown.contains("do-not-show-this"), "{shown}");

    let both = "[allow]\nheader = { name = \"X-Key\", value = \"a\", value_env = \"B\" }";
    assert!(complaints(both).contains("exactly one place"));
    Ok(())
}

#[test]
fn a_missing_file_is_named_with_the_cure() {
    let missing = std::path::Path::new("no-such-folder/maintenance.toml");
    let text = Config::load(Some(missing), [])
        .err()
        .map(|c| c.to_string())
        .unwrap_or_default();
    assert!(
        text.contains("no-such-folder/maintenance.toml: cannot be read"),
        "{text}"
    );
    assert!(text.contains("--config"), "{text}");
}

#[test]
fn keys_and_rules_are_complained_of_together_each_with_its_line() -> Result<(), std::io::Error> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("maintenance.toml");
    fs::write(
        &file,
        r#"[alow]
[allow]
paths = ["/ok", "no-slash", 7]
[client_ip]
source = "x-forwarded-for"
[sites.shop]
hosts = 5
"#,
    )?;
    let complaints = Policy::load(
        Some(&file),
        environment(&[("MAINTENANCE_ALLOW_ROLES", " ,[]")]),
    )
    .map(|_| ())
    .unwrap_err()
    .to_string();
    for line in [
        "maintenance.toml:1: alow: unknown key `alow`",
        "maintenance.toml:3: allow.paths[2]: ",
        "maintenance.toml:3: allow.paths[1]: `no-slash` can never match",
        "maintenance.toml:7: sites.shop.hosts: ",
    ] {
        assert!(complaints.contains(line), "{line} in {complaints}");
    }
    assert!(!complaints.contains("never chosen"), "{complaints}");
    Ok(())
}

#[test]
fn what_sites_take_over_is_complained_of_once() {
    let text = complaints(
        r#"
        [allow]
        paths = ["no-slash"]
        [sites.shop]
        hosts = ["shop.example"]
        allow = { roles = ["clerk"] }
        [sites.blog]
        hosts = ["blog.example"]
        allow = { paths = ["neither"] }
        "#,
    );
    assert_eq!(text.matches("`no-slash`").count(), 1, "{text}");
    assert!(
        text.contains("sites.blog.allow.paths[0]: `neither`"),
        "{text}"
    );
}
