//! From a request to the engine's facts, without copying.

use std::net::SocketAddr;

use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Uri};
use maintenance_mode::http::facts;
use maintenance_mode::{Facts, Peer};

/// What the facts of a request borrow.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
}

impl<'a> Head<'a> {
    pub(crate) fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// `uri` is the original one, which routers further out may have cut.
    pub(crate) fn facts(&self, uri: &'a Uri, peer: Peer) -> Facts<'a> {
        let facts = facts(self.method, uri, self.headers).peer(peer);
        match self.uri.authority() {
            Some(authority) => facts.authority(Some(authority.as_str())),
            None => facts,
        }
    }
}

impl<'a> From<&'a Parts> for Head<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }
}

/// What servers leave that leave a plain [`Peer`] or [`SocketAddr`].
pub(crate) fn plain_peer(extensions: &Extensions) -> Peer {
    extensions.get::<Peer>().copied().unwrap_or_else(|| {
        let address = extensions.get::<SocketAddr>();
        address.map(SocketAddr::ip).into()
    })
}
