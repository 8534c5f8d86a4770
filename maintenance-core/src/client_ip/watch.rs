//! What can be seen of the way to an answer, for whoever explains it.

use std::net::IpAddr;

use super::answer::Unresolved;

/// One step of the way. Elements are numbered from the left, from 1, as people count them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    PeerUnknown,
    /// A unix socket that is not believed, or that is itself the source.
    UnixPeer,
    UnixPeerTrusted,
    /// The source is the peer.
    PeerIsSource(IpAddr),
    PeerUntrusted(IpAddr),
    PeerTrusted(IpAddr),
    /// What the source as a whole cannot be used for.
    SourceUnusable(Unresolved),
    ListEmpty,
    /// The trusted element `number`.
    Trusted {
        number: usize,
        address: IpAddr,
    },
    /// Beyond element 1 nobody stands: it is the farthest that is known.
    Farthest {
        number: usize,
    },
    /// The walk or the count ended at this element.
    Client {
        number: usize,
    },
    Unusable {
        number: usize,
        why: Unresolved,
    },
    /// The count of hops points at this element.
    Counted {
        number: usize,
        hops: usize,
    },
    /// The source names this one address.
    Named(IpAddr),
    ProxyLocal,
}

/// Sees each step; told nothing that it could change.
pub(super) trait Watch {
    /// An element was read from the header; this is its text on the wire.
    fn element(&mut self, raw: &[u8]);

    /// A step was made.
    fn step(&mut self, step: Step);
}

/// Nobody watches: costs nothing.
pub(super) struct Nobody;

impl Watch for Nobody {
    fn element(&mut self, _raw: &[u8]) {}

    fn step(&mut self, _step: Step) {}
}
