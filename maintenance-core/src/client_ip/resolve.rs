//! From the facts of a request to the client's address.

use std::net::IpAddr;

use crate::request::{Facts, Headers, Peer, ProxyHeader, Single};

use super::answer::{ClientIp, Unresolved};
use super::config::ClientIpPolicy;
use super::element::{self, Element};
use super::list::{self, Elements};
use super::source::{ListHeader, Source};
use super::watch::{Nobody, Step, Watch};

impl ClientIpPolicy {
    /// The client's address. Allocates nothing.
    pub fn resolve(&self, facts: &Facts<'_>) -> ClientIp {
        self.resolve_watched(facts, &mut Nobody)
    }

    /// The one way to an answer, seen by `watch`.
    pub(super) fn resolve_watched(&self, facts: &Facts<'_>, watch: &mut impl Watch) -> ClientIp {
        let peer = match self.believe_peer(facts.peer, watch) {
            Ok(peer) => peer,
            Err(answer) => return answer,
        };
        let found = match &self.source {
            Source::List(header) => self.read_list(*header, facts.headers, peer, watch),
            Source::Single(name) => read_single(name, facts.headers, watch),
            Source::ProxyProtocol => read_proxy_header(facts.proxy_header, peer, watch),
            // With the peer as the source, no peer is believed and the answer is there already.
            Source::Peer => peer.ok_or(Lost::at(Unresolved::UnixPeer)),
        };
        match found {
            Ok(address) => ClientIp::Known(address),
            Err(lost) => ClientIp::Unresolved {
                why: lost.why,
                nearest: lost.nearest.or(peer),
            },
        }
    }

    /// The address of a trusted peer, if it has one; or the answer that needs no source.
    fn believe_peer(&self, peer: Peer, watch: &mut impl Watch) -> Result<Option<IpAddr>, ClientIp> {
        let unresolved = |why| ClientIp::Unresolved { why, nearest: None };
        let is_source = self.source == Source::Peer;
        match peer {
            Peer::Unknown => {
                watch.step(Step::PeerUnknown);
                Err(unresolved(Unresolved::NoPeer))
            }
            Peer::Unix if is_source || !self.trusts_peer(peer) => {
                watch.step(Step::UnixPeer);
                Err(unresolved(Unresolved::UnixPeer))
            }
            Peer::Unix => {
                watch.step(Step::UnixPeerTrusted);
                Ok(None)
            }
            Peer::Addr(address) => {
                let address = address.to_canonical();
                if is_source {
                    watch.step(Step::PeerIsSource(address));
                    Err(ClientIp::Known(address))
                } else if self.trusts_peer(peer) {
                    watch.step(Step::PeerTrusted(address));
                    Ok(Some(address))
                } else {
                    watch.step(Step::PeerUntrusted(address));
                    Err(ClientIp::Known(address))
                }
            }
        }
    }

    fn read_list(
        &self,
        header: ListHeader,
        headers: &dyn Headers,
        peer: Option<IpAddr>,
        watch: &mut impl Watch,
    ) -> Result<IpAddr, Lost> {
        let mut elements = Elements::none();
        let elements = elements
            .read(header, headers, watch)
            .map_err(|why| source_unusable(why, watch))?;
        match self.hops {
            Some(hops) => count(elements, usize::from(hops), watch),
            None => self.walk(elements, peer, watch),
        }
    }

    /// From the right: past trusted addresses to the first that is not. All trusted: the farthest.
    fn walk(
        &self,
        elements: &[Element],
        peer: Option<IpAddr>,
        watch: &mut impl Watch,
    ) -> Result<IpAddr, Lost> {
        let mut farthest = peer;
        for (index, element) in elements.iter().enumerate().rev() {
            let number = index + 1;
            match *element {
                Ok(address) if self.trusted.contains(address) => {
                    watch.step(Step::Trusted { number, address });
                    farthest = Some(address);
                }
                Ok(address) => {
                    watch.step(Step::Client { number });
                    return Ok(address);
                }
                // Not to be passed: what is beyond may be the client's own words.
                Err(why) => {
                    watch.step(Step::Unusable { number, why });
                    return Err(Lost {
                        why,
                        nearest: farthest,
                    });
                }
            }
        }
        watch.step(match elements.len() {
            0 => Step::ListEmpty,
            _ => Step::Farthest { number: 1 },
        });
        farthest.ok_or(Lost::at(Unresolved::NoHeader))
    }
}

/// Where the trail was lost.
struct Lost {
    why: Unresolved,
    /// The nearest known address, where that is not the peer.
    nearest: Option<IpAddr>,
}

impl Lost {
    const fn at(why: Unresolved) -> Self {
        Self { why, nearest: None }
    }
}

fn source_unusable(why: Unresolved, watch: &mut impl Watch) -> Lost {
    watch.step(Step::SourceUnusable(why));
    Lost::at(why)
}

/// The element that is `hops` from the right, from 1.
fn count(elements: &[Element], hops: usize, watch: &mut impl Watch) -> Result<IpAddr, Lost> {
    let Some(index) = elements.len().checked_sub(hops) else {
        let why = if elements.is_empty() {
            Unresolved::NoHeader
        } else {
            Unresolved::TooFewElements
        };
        return Err(source_unusable(why, watch));
    };
    let number = index + 1;
    watch.step(Step::Counted { number, hops });
    match elements[index] {
        Ok(address) => {
            watch.step(Step::Client { number });
            Ok(address)
        }
        Err(why) => {
            watch.step(Step::Unusable { number, why });
            Err(Lost {
                why,
                nearest: elements[number..].iter().find_map(|element| element.ok()),
            })
        }
    }
}

/// Exactly one line with one address.
fn read_single(name: &str, headers: &dyn Headers, watch: &mut impl Watch) -> Result<IpAddr, Lost> {
    let found = match headers.single(name) {
        Single::Absent => Err(Unresolved::NoHeader),
        Single::Many => Err(Unresolved::RepeatedHeader),
        Single::One(value) => match list::trim(value) {
            [] => Err(Unresolved::NoHeader),
            value if value.contains(&b',') => Err(Unresolved::SeveralValues),
            value => element::plain(value),
        },
    };
    let address = found.map_err(|why| source_unusable(why, watch))?;
    watch.step(Step::Named(address));
    Ok(address)
}

/// What the listener read. Without a header from a peer that must send one, there is no telling who
/// asks: the protocol's specification forbids to guess.
fn read_proxy_header(
    header: Option<ProxyHeader>,
    peer: Option<IpAddr>,
    watch: &mut impl Watch,
) -> Result<IpAddr, Lost> {
    match header {
        Some(ProxyHeader::Source(address)) => {
            let address = address.to_canonical();
            watch.step(Step::Named(address));
            Ok(address)
        }
        Some(ProxyHeader::Local) => {
            watch.step(Step::ProxyLocal);
            peer.ok_or(Lost::at(Unresolved::UnixPeer))
        }
        Some(ProxyHeader::Unusable) => Err(source_unusable(Unresolved::UnusableProxyHeader, watch)),
        None => Err(source_unusable(Unresolved::NoProxyHeader, watch)),
    }
}
