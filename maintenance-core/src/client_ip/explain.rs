//! Which address the server saw, and why: for the operator who asks.

use std::fmt;
use std::net::IpAddr;

use crate::policy::AddressSet;
use crate::request::Facts;

use super::answer::ClientIp;
use super::config::ClientIpPolicy;
use super::source::Source;
use super::watch::{Step, Watch};

/// The answer of [`ClientIpPolicy::resolve`] and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Explanation {
    /// The answer.
    pub client: ClientIp,
    /// Each step in its order, as a sentence for people; the last one states the answer. The wording
    /// is not stable.
    pub steps: Vec<String>,
}

impl fmt::Display for Explanation {
    /// One step a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.steps.join("\n"))
    }
}

impl ClientIpPolicy {
    /// The client's address and each step on the way to it, from the same walk as [`Self::resolve`].
    ///
    /// ```
    /// # use maintenance_mode::client_ip::{ClientIpConfig, ClientIpPolicy};
    /// # use maintenance_mode::{Facts, Peer, policy::Complaints};
    /// # let config = ClientIpConfig {
    /// #     source: "x-forwarded-for".to_owned(),
    /// #     trusted: vec!["10.0.0.0/8".to_owned()],
    /// #     ..ClientIpConfig::default()
    /// # };
    /// # let policy = ClientIpPolicy::compile(&config, "client_ip", &mut Complaints::new());
    /// let headers = [("X-Forwarded-For", "1.2.3.4, 198.51.100.7, 10.0.0.9")];
    /// let facts = Facts::new("GET", "/").headers(&headers).peer(Peer::Addr("10.0.0.2".parse()?));
    /// assert_eq!(
    ///     policy.explain(&facts).steps,
    ///     [
    ///         "peer 10.0.0.2 is trusted by 10.0.0.0/8",
    ///         "element 3 of 3 of x-forwarded-for (`10.0.0.9`) is trusted by 10.0.0.0/8",
    ///         "element 2 of 3 of x-forwarded-for (`198.51.100.7`) is the client",
    ///         "the client is 198.51.100.7",
    ///     ]
    /// );
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation {
        let mut narrator = Narrator {
            source: &self.source,
            trusted: &self.trusted,
            elements: Vec::new(),
            steps: Vec::new(),
        };
        let client = self.resolve_watched(facts, &mut narrator);
        let mut steps = narrator.steps;
        steps.push(match client {
            ClientIp::Known(address) => format!("the client is {address}"),
            ClientIp::Unresolved { .. } => format!("the client is {client}: it matches no rule"),
        });
        Explanation { client, steps }
    }
}

struct Narrator<'a> {
    source: &'a Source,
    trusted: &'a AddressSet,
    /// As on the wire, with foreign bytes made visible.
    elements: Vec<String>,
    steps: Vec<String>,
}

impl Watch for Narrator<'_> {
    fn element(&mut self, raw: &[u8]) {
        self.elements.push(raw.escape_ascii().to_string());
    }

    fn step(&mut self, step: Step) {
        let sentence = self.tell(step);
        self.steps.push(sentence);
    }
}

impl Narrator<'_> {
    fn tell(&self, step: Step) -> String {
        let source = self.source;
        match step {
            Step::PeerUnknown => "the framework could not tell the peer".to_owned(),
            Step::UnixPeer => match source {
                Source::Peer => "the peer is a unix socket, which has no address".to_owned(),
                _ => format!("the peer is a unix socket and not trusted: {source} is ignored"),
            },
            Step::UnixPeerTrusted => "the peer is a unix socket and trusted".to_owned(),
            Step::PeerIsSource(address) => {
                format!("peer {address} is the client: no header is read")
            }
            Step::PeerUntrusted(address) => {
                format!("peer {address} is not a trusted proxy: {source} is ignored")
            }
            Step::PeerTrusted(address) => format!("peer {address} is {}", self.trust(address)),
            Step::SourceUnusable(why) => {
                format!("{source} cannot be used: {} ({why})", why.sentence())
            }
            Step::ListEmpty => format!("{source} is absent or empty: nobody is beyond the peer"),
            Step::Trusted { number, address } => {
                format!("{} is {}", self.element_at(number), self.trust(address))
            }
            Step::Farthest { number } => {
                format!("{} is the farthest that is known", self.element_at(number))
            }
            Step::Client { number } => format!("{} is the client", self.element_at(number)),
            Step::Unusable { number, why } => {
                let element = self.element_at(number);
                format!("{element} ends the walk: {} ({why})", why.sentence())
            }
            Step::Counted { number, hops } => {
                format!("hops = {hops} points at {}", self.element_at(number))
            }
            Step::Named(address) => format!("{source} names {address}"),
            Step::ProxyLocal => format!("{source} says that the proxy speaks for itself"),
        }
    }

    fn trust(&self, address: IpAddr) -> String {
        match self.trusted.find(address) {
            Some(entry) => format!("trusted by {entry}"),
            None => "trusted".to_owned(),
        }
    }

    fn element_at(&self, number: usize) -> String {
        let text = self.elements.get(number - 1).map_or("", String::as_str);
        let (count, source) = (self.elements.len(), self.source);
        format!("element {number} of {count} of {source} (`{text}`)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{ClientIpConfig, ClientIpPolicy};
    use crate::policy::Complaints;
    use crate::request::{Facts, Peer, ProxyHeader};

    fn policy(source: &str, hops: Option<u16>, trust_unix: bool) -> ClientIpPolicy {
        let config = ClientIpConfig {
            source: source.to_owned(),
            trusted: vec!["192.0.2.1".to_owned(), "10.0.0.0/8".to_owned()],
            hops,
            trust_unix,
        };
        let mut complaints = Complaints::new();
        let policy = ClientIpPolicy::compile(&config, "client_ip", &mut complaints);
        let refused = !complaints.is_empty();
        assert!(!refused, "{complaints}");
        policy
    }

    fn proxy() -> Peer {
        Peer::Addr("10.0.0.2".parse().unwrap())
    }

    fn steps(policy: &ClientIpPolicy, peer: Peer, headers: &[(&str, &str)]) -> Vec<String> {
        let headers = headers.to_vec();
        policy
            .explain(&Facts::new("GET", "/").headers(&headers).peer(peer))
            .steps
    }

    #[test]
    fn a_walk_that_is_broken_off_says_where() {
        let header = ("X-Forwarded-For", "198.51.100.7, , \"x\u{1b}\", 192.0.2.1");
        assert_eq!(
            steps(&policy("xff", None, false), proxy(), &[header]),
            [
                "peer 10.0.0.2 is trusted by 10.0.0.0/8",
                "element 3 of 3 of x-forwarded-for (`192.0.2.1`) is trusted by 192.0.2.1",
                "element 2 of 3 of x-forwarded-for (`\\\"x\\x1b\\\"`) ends the walk: it is not an \
                 address (not_an_address)",
                "the client is unresolved(not_an_address, nearest=192.0.2.1): it matches no rule",
            ]
        );
    }

    #[test]
    fn a_list_of_trusted_proxies_only() {
        assert_eq!(
            steps(
                &policy("forwarded", None, false),
                proxy(),
                &[("forwarded", "for=10.0.0.5")]
            ),
            [
                "peer 10.0.0.2 is trusted by 10.0.0.0/8",
                "element 1 of 1 of forwarded (`for=10.0.0.5`) is trusted by 10.0.0.0/8",
                "element 1 of 1 of forwarded (`for=10.0.0.5`) is the farthest that is known",
                "the client is 10.0.0.5",
            ]
        );
        assert_eq!(
            steps(&policy("forwarded", None, false), proxy(), &[]),
            [
                "peer 10.0.0.2 is trusted by 10.0.0.0/8",
                "forwarded is absent or empty: nobody is beyond the peer",
                "the client is 10.0.0.2",
            ]
        );
    }

    #[test]
    fn counted_hops() {
        let policy = policy("xff", Some(2), false);
        let list = ("x-forwarded-for", "198.51.100.7, 34.1.2.3");
        assert_eq!(
            steps(&policy, proxy(), &[list]),
            [
                "peer 10.0.0.2 is trusted by 10.0.0.0/8",
                "hops = 2 points at element 1 of 2 of x-forwarded-for (`198.51.100.7`)",
                "element 1 of 2 of x-forwarded-for (`198.51.100.7`) is the client",
                "the client is 198.51.100.7",
            ]
        );
        assert_eq!(
            steps(&policy, proxy(), &[("x-forwarded-for", "198.51.100.7")])[1..],
            [
                "x-forwarded-for cannot be used: it has fewer elements than hops are configured \
                 (too_few_elements)",
                "the client is unresolved(too_few_elements, nearest=10.0.0.2): it matches no rule",
            ]
        );
    }

    #[test]
    fn peers_that_answer_or_are_not_believed() {
        let header = ("x-forwarded-for", "198.51.100.7");
        let other = Peer::Addr("203.0.113.9".parse().unwrap());
        assert_eq!(
            steps(&policy("xff", None, false), other, &[header]),
            [
                "peer 203.0.113.9 is not a trusted proxy: x-forwarded-for is ignored",
                "the client is 203.0.113.9",
            ]
        );
        assert_eq!(
            steps(&policy("peer", None, false), other, &[header]),
            [
                "peer 203.0.113.9 is the client: no header is read",
                "the client is 203.0.113.9",
            ]
        );
        assert_eq!(
            steps(&policy("xff", None, false), Peer::Unix, &[header]),
            [
                "the peer is a unix socket and not trusted: x-forwarded-for is ignored",
                "the client is unresolved(unix_peer): it matches no rule",
            ]
        );
        assert_eq!(
            steps(&policy("peer", None, true), Peer::Unix, &[header]),
            [
                "the peer is a unix socket, which has no address",
                "the client is unresolved(unix_peer): it matches no rule",
            ]
        );
        assert_eq!(
            steps(&policy("xff", None, true), Peer::Unix, &[header])[0],
            "the peer is a unix socket and trusted"
        );
        assert_eq!(
            steps(&policy("xff", None, true), Peer::Unknown, &[header]),
            [
                "the framework could not tell the peer",
                "the client is unresolved(no_peer): it matches no rule",
            ]
        );
    }

    #[test]
    fn single_values_and_the_proxy_protocol() {
        let single = policy("header:X-Real-IP", None, false);
        assert_eq!(
            steps(&single, proxy(), &[("x-real-ip", "198.51.100.7")])[1..],
            ["x-real-ip names 198.51.100.7", "the client is 198.51.100.7"]
        );
        assert_eq!(
            steps(&single, proxy(), &[("x-real-ip", "1.1.1.1, 198.51.100.7")])[1],
            "x-real-ip cannot be used: it has more than one value (several_values)"
        );
        let proxied = policy("proxy-protocol", None, false);
        let facts = Facts::new("GET", "/").peer(proxy());
        let told = |header| proxied.explain(&facts.proxy_header(header)).to_string();
        assert_eq!(
            told(None),
            "peer 10.0.0.2 is trusted by 10.0.0.0/8\n\
             the PROXY protocol header cannot be used: the connection came without one \
             (no_proxy_header)\n\
             the client is unresolved(no_proxy_header, nearest=10.0.0.2): it matches no rule"
        );
        assert!(told(Some(ProxyHeader::Local)).ends_with("itself\nthe client is 10.0.0.2"));
    }
}
