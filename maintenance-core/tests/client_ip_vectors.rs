//! The vectors for client addresses: the given ones and the project's own.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use maintenance_mode::client_ip::{ClientIpConfig, ClientIpPolicy};
use maintenance_mode::policy::{AddressSet, Complaints};
use maintenance_mode::{Facts, Peer, ProxyHeader};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: String,
    config: Config,
    request: Request,
    expected: Expected,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    source: String,
    trusted: Vec<String>,
    allow: Vec<String>,
    hops: Option<u16>,
    #[serde(default)]
    trust_unix: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    peer: String,
    headers: Vec<(String, String)>,
    proxy_protocol: Option<ProxyProtocol>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProxyProtocol {
    command: String,
    family: Option<String>,
    src: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Expected {
    ConfigError {
        config_error: bool,
    },
    Answer {
        client_ip: Option<IpAddr>,
        exempt: bool,
    },
}

impl ProxyProtocol {
    /// What a listener makes of the header: the PROXY protocol specification, sections 2.1 and 2.2.
    fn read(&self) -> ProxyHeader {
        match (self.command.as_str(), self.family.as_deref()) {
            ("LOCAL", _) | ("PROXY", Some("UNKNOWN" | "UNSPEC")) => ProxyHeader::Local,
            ("PROXY", Some("INET" | "INET6")) => {
                let source = self.src.as_deref().and_then(|source| source.parse().ok());
                source.map_or(ProxyHeader::Unusable, ProxyHeader::Source)
            }
            _ => ProxyHeader::Unusable,
        }
    }
}

fn answer(case: &Case) -> Expected {
    let mut complaints = Complaints::new();
    let allow = AddressSet::compile(&case.config.allow, "allow.addresses", &mut complaints);
    let config = ClientIpConfig {
        source: case.config.source.clone(),
        trusted: case.config.trusted.clone(),
        hops: case.config.hops,
        trust_unix: case.config.trust_unix,
    };
    let policy = ClientIpPolicy::compile(&config, "client_ip", &mut complaints);
    if !complaints.is_empty() {
        return Expected::ConfigError { config_error: true };
    }
    let peer = match case.request.peer.as_str() {
        "unix" => Peer::Unix,
        address => Peer::Addr(address.parse().unwrap()),
    };
    let facts = Facts::new("GET", "/")
        .headers(&case.request.headers)
        .peer(peer)
        .proxy_header(
            case.request
                .proxy_protocol
                .as_ref()
                .map(ProxyProtocol::read),
        );
    let client = policy.resolve(&facts);
    assert_eq!(policy.explain(&facts).client, client, "{}", case.id);
    Expected::Answer {
        client_ip: client.known(),
        exempt: client
            .known()
            .is_some_and(|address| allow.contains(address)),
    }
}

/// Runs a file of `count` cases and names every case that fails.
fn run(file: &str, count: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/vectors");
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    assert_eq!(cases.len(), count, "{file}");
    let failures: Vec<String> = cases
        .iter()
        .map(|case| (case, answer(case)))
        .filter(|(case, answer)| case.expected != *answer)
        .map(|(case, answer)| {
            let Case {
                id, why, expected, ..
            } = case;
            format!("{id} ({why}): expected {expected:?}, got {answer:?}")
        })
        .collect();
    assert!(failures.is_empty(), "{file}:\n{}", failures.join("\n"));
}

#[test]
fn the_given_vectors_hold() {
    run("client-ip.json", 60);
}

#[test]
fn the_projects_own_vectors_hold() {
    run("own-client-ip.json", 260);
}
