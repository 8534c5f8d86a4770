//! What holds for every policy, state and request.

use std::sync::Arc;

use maintenance_mode::explain::Verdict;
use maintenance_mode::policy::config::{HostConfig, LogoutConfig, SiteConfig, UnknownHost};
use maintenance_mode::state::{ActivationId, Epoch, Window};
use maintenance_mode::{
    Config, Facts, Mode, PathRuleConfig, Peer, Policy, Reason, RouteOverride, SiteName, Snapshot,
    State, Timestamp, User, Visitor,
};
use proptest::prelude::*;

const HOSTS: [&str; 7] = [
    "shop.example",
    "a.wild.example",
    "a.b.wild.example",
    "other.example",
    "SHOP.example.:80",
    "bad host",
    "",
];
const PATHS: [&str; 9] = [
    "/",
    "/healthz",
    "/admin",
    "/admin/x",
    "/assets/a/b",
    "/admin/../x",
    "//admin",
    "/v1/ping",
    "*",
];
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "OPTIONS", "FOO"];
const ROLES: [&[&str]; 4] = [&[], &["staff"], &["superuser", "staff"], &["editor"]];

#[derive(Clone, Copy, Debug)]
enum Who {
    Unknown,
    Anonymous,
    User(&'static [&'static str]),
}

/// A request that owns what facts borrow.
#[derive(Clone, Debug)]
struct Asked {
    method: &'static str,
    path: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    authority: Option<&'static str>,
    peer: Option<[u8; 4]>,
    visitor: Who,
    route: Option<RouteOverride>,
    test: bool,
}

impl Asked {
    fn with<T>(&self, ask: impl FnOnce(&Facts<'_>) -> T) -> T {
        let visitor = match self.visitor {
            Who::Unknown => Visitor::Unknown,
            Who::Anonymous => Visitor::Anonymous,
            Who::User(roles) => Visitor::User(User::new("7").roles(roles)),
        };
        ask(&Facts::new(self.method, self.path)
            .headers(&self.headers)
            .authority(self.authority)
            .peer(self.peer.map_or(Peer::Unknown, |ip| Peer::Addr(ip.into())))
            .visitor(visitor)
            .route_override(self.route)
            .test(self.test))
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let pick = |of: &'static [&'static str]| prop::sample::select(of);
    let route = prop_oneof![
        8 => Just(None),
        1 => Just(Some(RouteOverride::ForceOff)),
        1 => Just(Some(RouteOverride::ForceOn)),
    ];
    (
        (pick(&METHODS), pick(&PATHS)),
        prop::option::of(pick(&HOSTS)),
        prop::option::weighted(0.2, pick(&HOSTS)),
        prop::option::of(prop::sample::select(vec![
            [192, 0, 2, 1],
            [10, 0, 0, 1],
            [203, 0, 113, 9],
        ])),
        prop_oneof![
            Just(Who::Unknown),
            Just(Who::Anonymous),
            prop::sample::select(ROLES.to_vec()).prop_map(Who::User),
        ],
        (
            route,
            any::<bool>(),
            any::<bool>(),
            prop::option::of(pick(&["192.0.2.1", "10.0.0.7, 192.0.2.1", "junk"])),
        ),
    )
        .prop_map(
            |((method, path), host, authority, peer, visitor, (route, test, key, forwarded))| {
                let mut headers = Vec::new();
                headers.extend(host.map(|host| ("host", host)));
                headers.extend(key.then_some(("x-key", "0123456789abcdef")));
                headers.extend(forwarded.map(|value| ("x-forwarded-for", value)));
                Asked {
                    method,
                    path,
                    headers,
                    authority,
                    peer,
                    visitor,
                    route,
                    test,
                }
            },
        )
}

fn mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(Mode::ALL.to_vec())
}

fn config() -> impl Strategy<Value = Config> {
    (any::<[bool; 12]>(), prop::option::weighted(0.1, mode())).prop_map(|(on, pinned)| {
        let mut config = Config::new();
        config.mode = pinned;
        if on[0] {
            config = config.allow_path(PathRuleConfig::prefix("/admin"));
        }
        if on[1] {
            config = config
                .allow_path("/assets/**")
                .allow_path(PathRuleConfig::regex("/v[0-9]/ping").methods(["GET"]));
        }
        if on[2] {
            config = config.allow_address("192.0.2.0/24");
        }
        if on[3] {
            config = config.allow_role("editor");
        }
        if on[4] {
            config = config.allow_header("x-key", "0123456789abcdef");
        }
        config = config
            .allow_authenticated(on[5])
            .allow_anonymous(on[6])
            .allow_tests(on[7]);
        config = config.logout(LogoutConfig {
            authenticated: on[8],
            staff: on[9].then_some(false),
            ..LogoutConfig::default()
        });
        if on[10] {
            config.client_ip.source = "x-forwarded-for".to_owned();
            config.client_ip.trusted = vec!["10.0.0.0/8".to_owned()];
        }
        if on[11] {
            config = config.host(HostConfig {
                unknown: UnknownHost::Open,
                ..HostConfig::default()
            });
        }
        config
    })
}

fn with_sites(config: Config) -> Config {
    let name = |text: &str| text.parse::<SiteName>().unwrap_or_default();
    config
        .site(name("shop"), SiteConfig::hosts(["shop.example"]))
        .site(name("wild"), SiteConfig::hosts(["*.wild.example"]))
}

fn state() -> impl Strategy<Value = State> {
    let window = (mode(), -5_i64..5, 1_i64..5).prop_map(|(mode, start, length)| {
        let at = |t: i64| Some(Timestamp::from_millis(t));
        Window::new(
            ActivationId::from_bits(1),
            mode,
            at(start),
            at(start + length),
        )
        .ok()
    });
    let site = (mode(), prop::collection::vec(window, 0..3));
    prop::collection::vec(site, 3).prop_map(|sites| {
        let mut state = State::new(Epoch::from_bits(1));
        for (name, (mode, windows)) in ["default", "shop", "wild"].into_iter().zip(sites) {
            let site = state.site_mut(&name.parse().unwrap_or_default());
            site.mode = mode;
            site.windows = windows.into_iter().flatten().collect();
        }
        state
    })
}

fn snapshot(config: Config, state: Option<State>) -> Result<Snapshot, TestCaseError> {
    let policy = Policy::compile(config).map_err(|c| TestCaseError::fail(c.to_string()))?;
    Ok(Snapshot::new(Arc::new(policy), state.map(Arc::new)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn explain_says_what_decide_decides(
        config in config(), sites in any::<bool>(), state in state(), asked in asked(), time in -6_i64..10,
    ) {
        let snapshot = snapshot(if sites { with_sites(config) } else { config }, Some(state))?;
        let now = Timestamp::from_millis(time);
        asked.with(|facts| {
            let decision = snapshot.decide(facts, now);
            let explained = snapshot.explain(facts, now);
            prop_assert_eq!(decision.reason().code(), explained.reason);
            prop_assert_eq!(decision.is_allowed(), explained.decision == Verdict::Allow);
            let is_blocking = Reason::BLOCKING.contains(&decision.reason());
            prop_assert_eq!(decision.is_allowed(), !is_blocking);
            prop_assert_eq!(decision.logs_out(), explained.logout);
            prop_assert_eq!(decision.is_allowed(), explained.answer.is_none());
            // The same facts and time give the same decision.
            prop_assert_eq!(snapshot.decide(facts, now).reason(), decision.reason());
            Ok(())
        })?;
    }

    #[test]
    fn an_online_site_is_open_and_asks_nobody(config in config(), asked in asked()) {
        let snapshot = snapshot(with_sites(Config { mode: None, ..config }), None)?;
        asked.with(|facts| {
            let decision = snapshot.decide(facts, Timestamp::from_millis(0));
            prop_assert_eq!(decision.is_allowed(), facts.route_override != Some(RouteOverride::ForceOn));
            prop_assert!(!decision.asks_for_visitor());
            Ok(())
        })?;
    }

    /// The order in which modes close: whoever passes the stricter one passes the other as well. Only
    /// somebody who is logged out, which happens offline, may then come in as an anonymous visitor.
    #[test]
    fn closing_further_lets_nobody_in(config in config(), asked in asked(), a in mode(), b in mode()) {
        let config = Config { mode: None, logout: LogoutConfig::default(), ..config };
        let closed = |mode| snapshot(Config { mode: Some(mode), ..config.clone() }, None);
        let (one, both) = (closed(a)?, closed(a.stricter(b))?);
        asked.with(|facts| {
            let now = Timestamp::from_millis(0);
            if both.decide(facts, now).is_allowed() {
                prop_assert!(one.decide(facts, now).is_allowed(), "{a} with {b}");
            }
            Ok(())
        })?;
    }

    /// A host can never be spelled so that a closed site opens: whatever the request claims besides,
    /// naming the closed site blocks it, unless an exemption lets it through everywhere.
    #[test]
    fn naming_a_closed_site_blocks(asked in asked(), open in prop::sample::select(HOSTS.to_vec())) {
        let mut state = State::new(Epoch::from_bits(1));
        state.site_mut(&"shop".parse().unwrap_or_default()).mode = Mode::Offline;
        let mut config = with_sites(Config::new());
        config.allow.health = Some(Vec::new());
        let snapshot = snapshot(config, Some(state))?;
        for (host, authority) in [("shop.example", Some(open)), (open, Some("shop.example")), ("shop.example", None)] {
            let asked = Asked { headers: vec![("host", host)], authority, route: None, ..asked.clone() };
            asked.with(|facts| {
                prop_assert!(!snapshot.decide(facts, Timestamp::from_millis(0)).is_allowed(), "{host} {authority:?}");
                Ok(())
            })?;
        }
    }
}
