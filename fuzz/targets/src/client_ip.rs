//! Client addresses: the trusted walk over what anybody can write into a header.

use std::net::IpAddr;

use maintenance_mode::client_ip::{ClientIp, ClientIpConfig, ClientIpPolicy};
use maintenance_mode::policy::Complaints;
use maintenance_mode::{Facts, Peer};

use crate::Target;
use crate::fields::{fields, text};

/// Of [`maintenance_mode::client_ip`].
pub const TARGET: Target = Target {
    name: "client_ip",
    run,
    words: &[
        "x-forwarded-for",
        "forwarded",
        "header:x-real-ip",
        "peer",
        "proxy-protocol",
        "10.0.0.0/8",
        "X-Forwarded-For: ",
        "Forwarded: ",
        "X-Real-IP: ",
        "for=",
        "for=\"[2001:db8::1]:443\"",
        "by=",
        ";",
        ",",
        "\"",
        "\\",
        "unknown",
        "_hidden",
        "::ffff:10.0.0.1",
        "198.51.100.7",
        "203.0.113.9:443",
        "unix",
        "hops=1",
        "0.0.0.0/0",
        "fe80::1%eth0",
    ],
};

/// The source, the trusted networks (or `hops=N`) with blanks between them, the peer, then fields.
pub fn run(mut data: &[u8]) {
    let source = text(&mut data).to_owned();
    let mut config = ClientIpConfig {
        source,
        ..ClientIpConfig::default()
    };
    for word in text(&mut data).split_whitespace() {
        match word.strip_prefix("hops=") {
            Some(hops) => config.hops = hops.parse().ok(),
            None if word == "unix" => config.trust_unix = true,
            None => config.trusted.push(word.to_owned()),
        }
    }
    let peer = match text(&mut data) {
        "unix" => Peer::Unix,
        address => address.parse().map_or(Peer::Unknown, Peer::Addr),
    };
    let headers = fields(data);

    let mut complaints = Complaints::new();
    let policy = ClientIpPolicy::compile(&config, "client_ip", &mut complaints);
    for complaint in &complaints {
        assert!(complaint.place().starts_with("client_ip"), "{complaint}");
    }
    if !complaints.is_empty() {
        return;
    }
    let facts = Facts::new("GET", "/").headers(&headers).peer(peer);
    let client = policy.resolve(&facts);
    assert_eq!(policy.explain(&facts).client, client);
    if let ClientIp::Known(IpAddr::V6(address)) = client {
        assert_eq!(
            address.to_ipv4_mapped(),
            None,
            "{address} is an IPv4 address"
        );
    }
    if let Peer::Addr(address) = peer
        && !policy.trusts_peer(peer)
    {
        let own = ClientIp::Known(address.to_canonical());
        assert_eq!(
            client, own,
            "a peer that nobody trusts named another address"
        );
    }
}
