//! Properties of the whole walk, over hostile headers.
#![allow(clippy::unwrap_used)]

use std::net::IpAddr;

use proptest::prelude::*;

use super::{ClientIp, ClientIpConfig, ClientIpPolicy, Unresolved};
use crate::policy::Complaints;
use crate::request::{Facts, Peer, ProxyHeader};

type Lines = Vec<(&'static str, Vec<u8>)>;

fn policy(source: &str, trusted: &[&str], hops: Option<u16>) -> ClientIpPolicy {
    let config = ClientIpConfig {
        source: source.to_owned(),
        trusted: trusted.iter().map(|&entry| entry.to_owned()).collect(),
        hops,
        trust_unix: true,
    };
    let mut complaints = Complaints::new();
    let policy = ClientIpPolicy::compile(&config, "client_ip", &mut complaints);
    assert!(complaints.is_empty(), "{complaints}");
    policy
}

fn resolve(policy: &ClientIpPolicy, peer: Peer, lines: &Lines) -> ClientIp {
    policy.resolve(&Facts::new("GET", "/").headers(lines).peer(peer))
}

/// Some addresses: trusted by the narrow policy, by the wide one only, and by none.
const NARROW: [&str; 2] = ["10.0.0.0/8", "fd00::/8"];
const WIDE: [&str; 4] = ["10.0.0.0/8", "fd00::/8", "172.16.0.0/12", "2001:db8::/32"];

fn address() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "10.0.0.1",
        "10.9.9.9",
        "::ffff:10.0.0.1",
        "fd00::1",
        "172.16.0.1",
        "2001:db8::7",
        "198.51.100.7",
        "203.0.113.9",
        "::1",
    ])
}

fn peer() -> impl Strategy<Value = Peer> {
    prop_oneof![
        8 => address().prop_map(|text| Peer::Addr(text.parse().unwrap())),
        1 => Just(Peer::Unix),
        1 => Just(Peer::Unknown),
    ]
}

fn xff_element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => address().prop_map(|text| text.as_bytes().to_vec()),
        1 => address().prop_map(|text| format!("[{text}]:80").into_bytes()),
        1 => address().prop_map(|text| format!("{text}:80").into_bytes()),
        1 => prop::sample::select(vec![
            "", " ", "unknown", "_hidden", "\"", "198.051.100.007", "10.0.0.1 10.0.0.2", "%", "for=10.0.0.1",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

fn xff_line() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(xff_element(), 0..6).prop_map(|list| list.join(&b", "[..]))
}

fn forwarded_line() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => address().prop_map(|text| format!("for=\"[{text}]\"").into_bytes()),
        6 => address().prop_map(|text| format!("for={text}").into_bytes()),
        6 => prop::sample::select(vec![
            ",", ", ", ";", ";", "for=unknown", "for=_x", "proto=http", "by=\"a\\\"b\"", "For=10.0.0.1",
            "\"", "\\", "=", " ", "\t", "for=", "for=\"10.0.0\\.1\"", "\u{e9}",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

fn lines() -> impl Strategy<Value = Lines> {
    let line = prop_oneof![
        3 => xff_line().prop_map(|line| ("X-Forwarded-For", line)),
        3 => forwarded_line().prop_map(|line| ("Forwarded", line)),
        1 => xff_element().prop_map(|line| ("X-Real-IP", line)),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(|line| ("X-Forwarded-For", line)),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(|line| ("Forwarded", line)),
    ];
    prop::collection::vec(line, 0..5)
}

fn source() -> impl Strategy<Value = (&'static str, Option<u16>)> {
    prop_oneof![
        1 => Just(("peer", None)),
        1 => Just(("header:x-real-ip", None)),
        1 => Just(("proxy-protocol", None)),
        3 => prop::option::of(1_u16..5).prop_map(|hops| ("xff", hops)),
        3 => prop::option::of(1_u16..5).prop_map(|hops| ("forwarded", hops)),
    ]
}

fn proxy_header() -> impl Strategy<Value = Option<ProxyHeader>> {
    prop_oneof![
        Just(None),
        Just(Some(ProxyHeader::Local)),
        Just(Some(ProxyHeader::Unusable)),
        address().prop_map(|text| Some(ProxyHeader::Source(text.parse().unwrap()))),
    ]
}

/// The rule for `X-Forwarded-For` without hops, written the plain way.
fn model(trusted: &[&str], peer: Peer, lines: &Lines) -> Option<IpAddr> {
    let trusts = |ip: IpAddr| {
        let nets = trusted
            .iter()
            .map(|net| net.parse::<ipnet::IpNet>().unwrap());
        nets.into_iter().any(|net| net.contains(&ip))
    };
    let mut known = match peer {
        Peer::Addr(ip) if !trusts(ip.to_canonical()) => return Some(ip.to_canonical()),
        Peer::Addr(ip) => Some(ip.to_canonical()),
        Peer::Unix => None,
        Peer::Unknown => return None,
    };
    let named = lines.iter().filter(|(name, _)| *name == "X-Forwarded-For");
    let texts: Vec<String> = named
        .map(|(_, line)| String::from_utf8_lossy(line).into_owned())
        .collect();
    let joined = texts.join(",");
    let blank = |c: char| c == ' ' || c == '\t';
    let elements: Vec<&str> = joined
        .split(',')
        .map(|element| element.trim_matches(blank))
        .filter(|element| !element.is_empty())
        .collect();
    if elements.len() > 64 {
        return None;
    }
    for element in elements.into_iter().rev() {
        let ip = element.parse::<IpAddr>().ok();
        // `SocketAddr` takes zones and short ports as well; neither is generated here.
        let ip = ip.or_else(|| {
            element
                .parse::<std::net::SocketAddr>()
                .ok()
                .map(|both| both.ip())
        });
        let bracketed = element
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let ip = ip.or_else(|| {
            bracketed?
                .parse::<std::net::Ipv6Addr>()
                .ok()
                .map(IpAddr::V6)
        });
        let ip = ip?.to_canonical();
        if !trusts(ip) {
            return Some(ip);
        }
        known = Some(ip);
    }
    known
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_walk_equals_the_plain_model(lines in lines(), peer in peer()) {
        let policy = policy("xff", &NARROW, None);
        prop_assert_eq!(resolve(&policy, peer, &lines).known(), model(&NARROW, peer, &lines));
    }

    #[test]
    fn any_facts_have_an_answer_and_its_explanation_is_the_same(
        lines in lines(),
        peer in peer(),
        (source, hops) in source(),
        proxy_header in proxy_header(),
    ) {
        let policy = policy(source, &NARROW, hops);
        let facts = Facts::new("GET", "/").headers(&lines).peer(peer).proxy_header(proxy_header);
        let client = policy.resolve(&facts);
        let explanation = policy.explain(&facts);
        prop_assert_eq!(explanation.client, client);
        let end = format!("the client is {client}");
        prop_assert!(explanation.steps.last().unwrap().starts_with(&end));
        prop_assert!(explanation.steps.len() >= 2);
        if let Some(address) = client.known() {
            prop_assert_eq!(address, address.to_canonical());
        }
    }

    #[test]
    fn more_trust_never_turns_unresolved_into_an_address(
        lines in lines(),
        peer in peer(),
        (source, hops) in source(),
    ) {
        let narrow = resolve(&policy(source, &NARROW, hops), peer, &lines);
        let wide = resolve(&policy(source, &WIDE, hops), peer, &lines);
        if let ClientIp::Unresolved { why, .. } = narrow {
            let same = matches!(wide, ClientIp::Unresolved { why: other, .. } if other == why);
            prop_assert!(same, "{} became {}", narrow, wide);
        }
    }

    #[test]
    fn what_a_client_prepends_changes_nothing_when_the_walk_ends_before_it(
        own in xff_line(),
        typed in prop::collection::vec(any::<u8>(), 0..80),
        typed_elements in xff_line(),
        as_line in any::<bool>(),
        peer in peer(),
        hops in prop::option::of(1_u16..4),
    ) {
        let policy = policy("xff", &NARROW, hops);
        let alone = vec![("X-Forwarded-For", own.clone())];
        let before = resolve(&policy, peer, &alone);
        let ended = match (before, hops) {
            (ClientIp::Known(address), None) => !policy.trusts_peer(Peer::Addr(address)),
            (ClientIp::Known(_), Some(_)) => true,
            (ClientIp::Unresolved { why, .. }, _) => {
                !matches!(why, Unresolved::NoHeader | Unresolved::TooFewElements)
            }
        };
        // About a third of the cases end beyond; there is nothing to promise for them.
        for typed in [typed, typed_elements].into_iter().filter(|_| ended) {
            let with = if as_line {
                vec![("X-Forwarded-For", typed), ("X-Forwarded-For", own.clone())]
            } else {
                vec![("X-Forwarded-For", [&typed[..], b",", &own[..]].concat())]
            };
            let after = resolve(&policy, peer, &with);
            // Too long a list may only lose the answer; it can never choose one.
            let cut = matches!(after, ClientIp::Unresolved { why: Unresolved::TooManyElements, .. });
            prop_assert!(after == before || cut, "{} became {}", before, after);
        }
    }

    #[test]
    fn what_a_client_prepends_to_forwarded_changes_nothing_or_loses_the_answer(
        own in prop::sample::select(vec!["198.51.100.7", "172.16.0.1", "2001:db8::7", "::1"]),
        typed in forwarded_line(),
        as_line in any::<bool>(),
    ) {
        let policy = policy("forwarded", &NARROW, None);
        let own = if own.contains(':') {
            format!("for=\"[{own}]\"").into_bytes()
        } else {
            format!("for={own}").into_bytes()
        };
        let peer = Peer::Addr("10.0.0.1".parse().unwrap());
        let before = resolve(&policy, peer, &vec![("Forwarded", own.clone())]);
        prop_assert!(before.known().is_some());
        let with = if as_line {
            vec![("Forwarded", typed), ("Forwarded", own)]
        } else {
            vec![("Forwarded", [&typed[..], b", ", &own[..]].concat())]
        };
        let after = resolve(&policy, peer, &with);
        prop_assert!(after == before || after.known().is_none(), "{} became {}", before, after);
    }

    #[test]
    fn an_untrusted_peer_is_the_answer_whatever_it_sends(
        lines in lines(),
        (source, hops) in source(),
        proxy_header in proxy_header(),
    ) {
        let peer: IpAddr = "203.0.113.9".parse().unwrap();
        let policy = policy(source, &NARROW, hops);
        let facts = Facts::new("GET", "/")
            .headers(&lines)
            .peer(Peer::Addr(peer))
            .proxy_header(proxy_header);
        prop_assert_eq!(policy.resolve(&facts), ClientIp::Known(peer));
    }

    #[test]
    fn only_the_configured_header_counts(lines in lines(), peer in peer()) {
        let of = |name: &str| -> Lines {
            lines.iter().filter(|(other, _)| *other == name).cloned().collect()
        };
        for (source, name) in [
            ("xff", "X-Forwarded-For"),
            ("forwarded", "Forwarded"),
            ("header:x-real-ip", "X-Real-IP"),
        ] {
            let policy = policy(source, &NARROW, None);
            prop_assert_eq!(resolve(&policy, peer, &lines), resolve(&policy, peer, &of(name)));
        }
        let policy = policy("peer", &NARROW, None);
        prop_assert_eq!(resolve(&policy, peer, &lines), resolve(&policy, peer, &Lines::new()));
    }
}

#[test]
fn sixty_four_elements_are_read_and_no_more() {
    let policy = policy("xff", &NARROW, None);
    let peer = Peer::Addr("10.0.0.2".parse().unwrap());
    let list = |count| {
        let value = ["198.51.100.7"].repeat(count).join(", , ");
        vec![("X-Forwarded-For", value.into_bytes())]
    };
    let client = ClientIp::Known("198.51.100.7".parse().unwrap());
    assert_eq!(resolve(&policy, peer, &list(64)), client);
    assert_eq!(
        resolve(&policy, peer, &list(65)).to_string(),
        "unresolved(too_many_elements, nearest=10.0.0.2)"
    );

    let by_line = [list(32), list(32)].concat();
    assert_eq!(resolve(&policy, peer, &by_line), client);
    let by_line = [list(32), list(33)].concat();
    assert!(resolve(&policy, peer, &by_line).known().is_none());
}

#[test]
fn the_nearest_known_hop_is_named() {
    let peer = Peer::Addr("10.0.0.2".parse().unwrap());
    for (source, hops, name, value, expected) in [
        (
            "xff",
            None,
            "X-Forwarded-For",
            "198.51.100.7, unknown, 10.0.0.9, 10.0.0.8",
            "unresolved(unknown, nearest=10.0.0.9)",
        ),
        (
            "xff",
            None,
            "X-Forwarded-For",
            "198.51.100.7, unknown",
            "unresolved(unknown, nearest=10.0.0.2)",
        ),
        (
            "xff",
            Some(3),
            "X-Forwarded-For",
            "_x, unknown, 34.1.2.3",
            "unresolved(obfuscated, nearest=34.1.2.3)",
        ),
        (
            "xff",
            Some(1),
            "X-Forwarded-For",
            "198.51.100.7, unknown",
            "unresolved(unknown, nearest=10.0.0.2)",
        ),
        (
            "xff",
            Some(1),
            "X-Forwarded-For",
            "",
            "unresolved(no_header, nearest=10.0.0.2)",
        ),
        (
            "forwarded",
            None,
            "Forwarded",
            "for=\"",
            "unresolved(bad_syntax, nearest=10.0.0.2)",
        ),
        (
            "header:x-real-ip",
            None,
            "X-Real-IP",
            "",
            "unresolved(no_header, nearest=10.0.0.2)",
        ),
    ] {
        let lines = vec![(name, value.as_bytes().to_vec())];
        let client = resolve(&policy(source, &NARROW, hops), peer, &lines);
        assert_eq!(client.to_string(), expected, "{value}");
        let behind_socket = resolve(&policy(source, &NARROW, hops), Peer::Unix, &lines);
        let expected = expected.replace(", nearest=10.0.0.2", "");
        assert_eq!(behind_socket.to_string(), expected, "{value}");
    }
}
