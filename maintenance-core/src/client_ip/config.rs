//! What is configured about proxies, and its compiled form.

use serde::{Deserialize, Serialize};

use crate::policy::{AddressSet, Complaints};
use crate::request::Peer;

use super::list::MAX_ELEMENTS;
use super::source::{self, Source};

/// The table `[client_ip]`: where the client's address comes from, and whom to believe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientIpConfig {
    /// `peer` (the default): the other end of the connection. `x-forwarded-for` (or `xff`) and
    /// `forwarded`: the list that proxies write. `header:NAME`: a header with one address, as many
    /// CDNs set it. `proxy-protocol`: what the listener read from a PROXY protocol header.
    pub source: String,
    /// Addresses and networks of the proxies. Needed for every source but `peer`, except when all
    /// proxies connect through a unix socket. Networks that together contain everybody are refused.
    pub trusted: Vec<String>,
    /// For lists: the client is this many elements from the right (1 to 64), whoever stands there.
    /// For proxies whose addresses change, where their number does not. The peer must be trusted still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hops: Option<u16>,
    /// Whether a peer on a unix socket is a trusted proxy.
    pub trust_unix: bool,
}

impl Default for ClientIpConfig {
    fn default() -> Self {
        Self {
            source: "peer".to_owned(),
            trusted: Vec::new(),
            hops: None,
            trust_unix: false,
        }
    }
}

/// Where the client's address comes from, compiled. See the [module](super) for the rules.
#[derive(Clone, Debug)]
pub struct ClientIpPolicy {
    pub(super) source: Source,
    pub(super) trusted: AddressSet,
    /// From 1 to [`MAX_ELEMENTS`]; only with a list.
    pub(super) hops: Option<u16>,
    pub(super) trust_unix: bool,
}

impl ClientIpPolicy {
    /// Compiles the configuration; `place` is the name of its table, for complaints.
    ///
    /// Complains about an unknown source, bad or missing trusted networks, networks that contain
    /// everybody, and hops that cannot be. The result serves only if there are no complaints.
    #[must_use]
    pub fn compile(config: &ClientIpConfig, place: &str, complaints: &mut Complaints) -> Self {
        let source = source::read(&config.source, &format!("{place}.source"), complaints);
        let trusted_place = format!("{place}.trusted");
        let trusted = AddressSet::compile(&config.trusted, &trusted_place, complaints);
        refuse_everybody(&trusted, &trusted_place, complaints);
        if let Some(source) = &source {
            let nobody = config.trusted.is_empty() && !config.trust_unix;
            if *source != Source::Peer && nobody {
                complaints.add_with_hint(
                    &trusted_place,
                    format_args!("source \"{}\" needs trusted proxies", config.source),
                    "list the addresses from which your proxies connect, such as [\"10.0.0.0/8\"], \
                     or set trust_unix = true if they connect through a unix socket",
                );
            }
            check_hops(config.hops, source, &format!("{place}.hops"), complaints);
        }
        Self {
            source: source.unwrap_or(Source::Peer),
            trusted,
            hops: config.hops,
            trust_unix: config.trust_unix,
        }
    }

    /// Whether what this peer says in headers is believed: it is a trusted address, or a unix socket
    /// and those are trusted.
    #[must_use]
    pub fn trusts_peer(&self, peer: Peer) -> bool {
        match peer {
            Peer::Unknown => false,
            Peer::Unix => self.trust_unix,
            Peer::Addr(address) => self.trusted.contains(address),
        }
    }
}

fn refuse_everybody(trusted: &AddressSet, place: &str, complaints: &mut Complaints) {
    let families = [
        (trusted.covers_every_v4(), "IPv4"),
        (trusted.covers_every_v6(), "IPv6"),
    ];
    for (_, family) in families.iter().filter(|(covered, _)| *covered) {
        complaints.add_with_hint(
            place,
            format_args!(
                "these networks contain every {family} address: whoever connects could name any \
                 address as his own"
            ),
            "list only the addresses from which your proxies connect",
        );
    }
}

fn check_hops(hops: Option<u16>, source: &Source, place: &str, complaints: &mut Complaints) {
    let Some(hops) = hops else { return };
    if !matches!(source, Source::List(_)) {
        complaints.add_with_hint(
            place,
            format_args!("hops = {hops} counts the elements of a list, and the source has none"),
            "remove hops, or use source = \"x-forwarded-for\" or \"forwarded\"",
        );
    } else if hops == 0 || usize::from(hops) > MAX_ELEMENTS {
        complaints.add_with_hint(
            place,
            format_args!("hops = {hops} is not from 1 to {MAX_ELEMENTS}"),
            "hops = 1 is the last element of the list; for the peer itself, use source = \"peer\"",
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{ClientIpConfig, ClientIpPolicy};
    use crate::policy::Complaints;
    use crate::request::Peer;

    fn config(source: &str, trusted: &[&str]) -> ClientIpConfig {
        ClientIpConfig {
            source: source.to_owned(),
            trusted: trusted.iter().map(|&entry| entry.to_owned()).collect(),
            ..ClientIpConfig::default()
        }
    }

    /// The complaints, each as its lines.
    fn complaints(config: &ClientIpConfig) -> Vec<String> {
        let mut complaints = Complaints::new();
        let _ = ClientIpPolicy::compile(config, "client_ip", &mut complaints);
        complaints.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_taken() {
        for source in [
            "peer",
            "x-forwarded-for",
            "xff",
            "forwarded",
            "header:X-Real-IP",
            "header:cf-connecting-ip",
            "proxy-protocol",
        ] {
            assert_eq!(
                complaints(&config(source, &["10.0.0.0/8"])),
                [""; 0],
                "{source}"
            );
            let unix = ClientIpConfig {
                trust_unix: true,
                ..config(source, &[])
            };
            assert_eq!(complaints(&unix), [""; 0], "{source}");
        }
        assert_eq!(complaints(&ClientIpConfig::default()), [""; 0]);
    }

    #[test]
    fn sources_that_are_refused_and_what_is_suggested() {
        for (source, hint) in [
            ("", "one of peer, x-forwarded-for"),
            ("whatever", "one of peer, x-forwarded-for"),
            ("Peer", "did you mean \"peer\"?"),
            ("X-Forwarded-For", "did you mean \"x-forwarded-for\"?"),
            ("x_forwarded_for", "did you mean \"x-forwarded-for\"?"),
            ("x-forwared-for", "did you mean \"x-forwarded-for\"?"),
            ("XFF", "did you mean \"xff\"?"),
            ("Forwarded", "did you mean \"forwarded\"?"),
            ("proxy_protocol", "did you mean \"proxy-protocol\"?"),
            ("proxy", "did you mean \"proxy-protocol\"?"),
            ("socket", "did you mean \"peer\"?"),
            ("X-Real-IP", "did you mean \"header:X-Real-IP\"?"),
            ("Header:X-Real-IP", "did you mean \"header:x-real-ip\"?"),
            ("header:", "write the name alone"),
            ("header: X-Real-IP", "write the name alone"),
            ("header:X-Real-IP:", "write the name alone"),
            ("header:X Real IP", "write the name alone"),
            ("header:x-réal-ip", "write the name alone"),
            ("header:X-Forwarded-For", "write \"x-forwarded-for\""),
            ("header:forwarded", "write \"forwarded\""),
            ("header:Host", "name the header that your proxy sets"),
            ("header:cookie", "name the header that your proxy sets"),
            (
                "header:Authorization",
                "name the header that your proxy sets",
            ),
            (
                "header:X-Forwarded-Host",
                "name the header that your proxy sets",
            ),
        ] {
            let found = complaints(&config(source, &["10.0.0.0/8"]));
            assert_eq!(found.len(), 1, "{source}: {found:?}");
            assert!(found[0].starts_with("client_ip.source: "), "{}", found[0]);
            assert!(found[0].contains(hint), "{}", found[0]);
        }
    }

    #[test]
    fn a_source_that_others_write_needs_trusted_proxies() {
        for source in ["xff", "forwarded", "header:X-Real-IP", "proxy-protocol"] {
            let found = complaints(&config(source, &[]));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("client_ip.trusted: "), "{}", found[0]);
            assert!(found[0].contains("trust_unix = true"), "{}", found[0]);
        }
    }

    #[test]
    fn trusting_everybody_is_refused_however_it_is_written() {
        for trusted in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["::ffff:0:0/96"],
            &["10.0.0.0/8", "0.0.0.0/1", "128.0.0.0/1"],
            &["::/1", "8000::/1"],
        ] {
            for source in ["peer", "xff"] {
                let found = complaints(&config(source, trusted));
                assert_eq!(found.len(), 1, "{trusted:?}: {found:?}");
                assert!(found[0].starts_with("client_ip.trusted: "), "{}", found[0]);
            }
        }
        let both = complaints(&config("xff", &["0.0.0.0/0", "::/0"]));
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn a_bad_trusted_entry_complains_at_its_place_and_once() {
        let found = complaints(&config("xff", &["10.0.0.1/8"]));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("client_ip.trusted[0]: "),
            "{}",
            found[0]
        );
    }

    #[test]
    fn hops_are_for_lists_and_from_1_to_64() {
        for (source, hops, good) in [
            ("xff", 1, true),
            ("forwarded", 64, true),
            ("xff", 0, false),
            ("xff", 65, false),
            ("peer", 1, false),
            ("proxy-protocol", 1, false),
            ("header:X-Real-IP", 1, false),
        ] {
            let found = complaints(&ClientIpConfig {
                hops: Some(hops),
                ..config(source, &["10.0.0.0/8"])
            });
            assert_eq!(found.is_empty(), good, "{source} {hops}: {found:?}");
            assert!(
                found.iter().all(|one| one.starts_with("client_ip.hops: ")),
                "{found:?}"
            );
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let found = complaints(&ClientIpConfig {
            hops: Some(0),
            ..config("forwarded", &["proxy", "::/0"])
        });
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn unknown_keys_are_refused_and_what_is_left_out_has_its_default() {
        let read = |text: &str| toml::from_str::<ClientIpConfig>(text);
        assert_eq!(read("").unwrap(), ClientIpConfig::default());
        assert_eq!(
            read("source = \"xff\"\ntrusted = [\"10.0.0.0/8\"]").unwrap(),
            config("xff", &["10.0.0.0/8"])
        );
        assert!(read("trust = [\"10.0.0.0/8\"]").is_err());
        assert!(read("hops = -1").is_err());
        let written = toml::to_string(&config("xff", &["10.0.0.0/8"])).unwrap();
        assert_eq!(read(&written).unwrap(), config("xff", &["10.0.0.0/8"]));
    }

    #[test]
    fn which_peers_are_believed() {
        let mut complaints = Complaints::new();
        let mut policy = ClientIpPolicy::compile(
            &config("peer", &["10.0.0.0/8"]),
            "client_ip",
            &mut complaints,
        );
        assert!(policy.trusts_peer(Peer::Addr("10.1.2.3".parse().unwrap())));
        assert!(policy.trusts_peer(Peer::Addr("::ffff:10.1.2.3".parse().unwrap())));
        assert!(!policy.trusts_peer(Peer::Addr("11.1.2.3".parse().unwrap())));
        assert!(!policy.trusts_peer(Peer::Unknown));
        assert!(!policy.trusts_peer(Peer::Unix));
        policy.trust_unix = true;
        assert!(policy.trusts_peer(Peer::Unix));
        assert!(!policy.trusts_peer(Peer::Unknown));
    }
}
