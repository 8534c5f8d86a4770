//! From a request to the engine's facts, without copying.

use maintenance_mode::http::facts;
use maintenance_mode::{Facts, Peer};
use poem::http::Uri;
use poem::{Addr, Request};

/// The target as it came, before routers cut prefixes off.
///
/// A request that `Request::builder` or poem's `TestClient` has made has no original target: `/` stands
/// there. Then the target itself is taken.
pub(crate) fn target(request: &Request) -> &Uri {
    let original = request.original_uri();
    let is_bare = original.path() == "/" && original.query().is_none();
    if is_bare && original.authority().is_none() {
        request.uri()
    } else {
        original
    }
}

/// All but who asks and what the author fixed.
pub(crate) fn facts_of<'a>(request: &'a Request, target: &'a Uri, peer: Peer) -> Facts<'a> {
    facts(request.method(), target, request.headers()).peer(peer)
}

/// The connection's other end, as the acceptor tells it: never poem's `RealIp`, which believes headers.
pub(crate) fn remote_peer(request: &Request) -> Peer {
    match &request.remote_addr().0 {
        Addr::SocketAddr(address) => Peer::Addr(address.ip()),
        #[cfg(unix)]
        Addr::Unix(_) => Peer::Unix,
        Addr::Custom(..) => Peer::Unknown,
    }
}
