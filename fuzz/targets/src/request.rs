//! Whole requests, cookies and all, against policies that look at everything.

use std::sync::{Arc, LazyLock};

use maintenance_mode::explain::Verdict;
use maintenance_mode::{Config, Decision, Facts, Peer, Policy, Snapshot, Timestamp, User, Visitor};

use crate::Target;
use crate::fields::{can_be_sent, fields, text};

/// Of [`Snapshot::decide`].
pub const TARGET: Target = Target {
    name: "request",
    run,
    words: &[
        "GET\n",
        "POST\n",
        "OPTIONS\n",
        "/healthz",
        "/admin",
        "/assets/",
        "/api/",
        "*",
        "Host: ",
        "shop.example.com",
        "X-Forwarded-Host: ",
        "X-Forwarded-For: ",
        "Cookie: ",
        "sessionid=",
        "a=\"b\"; c=d",
        "X-Bypass: ",
        "secret-secret-secret",
        "Upgrade: websocket",
        "Accept: ",
        "198.51.100.7",
        "10.0.0.1",
        "user=staff",
        "user=anonymous",
        "authority=",
        "routed=",
        "effective=DELETE",
        "X-Forwarded-Proto: https",
    ],
};

const POLICIES: [&str; 3] = [
    r#"
    mode = "offline"
    [allow]
    paths = ["/robots.txt", "/assets/**", "/*/open", { prefix = "/admin" }, { regex = "/v[0-9]+/ping", methods = ["GET"] }]
    addresses = ["198.51.100.0/24", "2001:db8::/32"]
    roles = ["staff"]
    header = { name = "X-Bypass", value = "secret-secret-secret-secret-secret" }
    [client_ip]
    source = "x-forwarded-for"
    trusted = ["10.0.0.0/8"]
    [logout]
    authenticated = true
    cookies = ["sessionid"]
    [answer]
    redirect = "/closed"
    rules = [{ prefix = "/api", format = "json" }]
    "#,
    r#"
    [host]
    source = "x-forwarded-host"
    [client_ip]
    source = "forwarded"
    trusted = ["10.0.0.0/8"]
    [sites.shop]
    hosts = ["shop.example.com", "*.shop.example.com"]
    mode = "offline"
    [sites.shop.allow]
    paths = ["/status"]
    "#,
    r#"
    mode = "read_only"
    [allow]
    anonymous = true
    "#,
];

static SNAPSHOTS: LazyLock<Vec<Snapshot>> = LazyLock::new(|| {
    POLICIES
        .iter()
        .map(
            |text| match Config::from_toml(text).and_then(Policy::compile) {
                Ok(policy) => Snapshot::new(Arc::new(policy), None),
                Err(complaints) => panic!("{complaints}"),
            },
        )
        .collect()
});

/// The method, the path, the peer, `name=value` words, then fields.
pub fn run(mut data: &[u8]) {
    let method = text(&mut data);
    let path = text(&mut data);
    let peer = match text(&mut data) {
        "unix" => Peer::Unix,
        address => address.parse().map_or(Peer::Unknown, Peer::Addr),
    };
    let words = text(&mut data);
    let headers = fields(data);
    let word = |name: &str| {
        words
            .split_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    };
    let visitor = match word("user") {
        None => Visitor::Unknown,
        Some("anonymous") => Visitor::Anonymous,
        Some(id) => {
            Visitor::User(User::new(id).roles(if id == "staff" { &["staff"] } else { &[] }))
        }
    };
    let facts = Facts::new(method, path)
        .effective_method(word("effective"))
        .routed_path(word("routed"))
        .authority(word("authority"))
        .query(word("query"))
        .peer(peer)
        .visitor(visitor)
        .headers(&headers);
    for snapshot in SNAPSHOTS.iter() {
        agree(snapshot, &facts);
    }
}

/// `decide` and `explain` say the same, and what is blocked gets an answer that can be sent.
pub(crate) fn agree(snapshot: &Snapshot, facts: &Facts<'_>) {
    let now = Timestamp::from_millis(1_800_000_000_000);
    let explained = snapshot.explain(facts, now);
    let decision = snapshot.decide(facts, now);
    assert_eq!(explained.reason, decision.reason().code());
    assert_eq!(
        explained.decision == Verdict::Allow,
        decision.is_allowed(),
        "{facts:?}"
    );
    assert_eq!(explained.logout, decision.logs_out());
    if let Decision::Block(block) = decision {
        can_be_sent(&block.answer(facts));
    }
}
