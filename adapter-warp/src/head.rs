//! A request's head, as far as warp shows it to filters.

use std::convert::Infallible;
use std::net::SocketAddr;

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, Method, Version};
use maintenance_mode::{Facts, Peer};
use warp::Filter;

use crate::admissions::RequestId;
use crate::peek::{Seen, peek, remote};

/// The head of a request, for the functions that [`identify`](crate::MaintenanceFilters::identify) and
/// [`on_logout`](crate::MaintenanceFilters::on_logout) get.
#[derive(Debug)]
#[non_exhaustive]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The whole path, whatever prefixes filters have matched; still encoded. Empty if the target has none.
    pub path: String,
    /// The query, without `?`.
    pub query: Option<String>,
    /// The version.
    pub version: Version,
    /// The header fields.
    pub headers: HeaderMap,
    /// The other end of the connection. `None` on unix sockets, and where whoever serves the filters
    /// instead of `warp::serve` has left no [`SocketAddr`] in the request's extensions.
    pub remote: Option<SocketAddr>,
    pub(crate) id: RequestId,
    target: Target,
}

/// What can be known of the target's authority.
#[derive(Debug)]
enum Target {
    /// Nothing but what `Host` says.
    AsHost,
    /// It names this, and there is no `Host`.
    Names(Authority),
    /// It is not what `Host` says, or `Host` says nothing that can be read.
    Contradicts,
}

impl Head {
    /// What the engine wants to know.
    pub(crate) fn facts(&self, peer: Peer) -> Facts<'_> {
        Facts::new(self.method.as_str(), &self.path)
            .query(self.query.as_deref())
            .authority(match &self.target {
                Target::AsHost => None,
                Target::Names(authority) => Some(authority.as_str()),
                // No host is empty, so it contradicts `Host`: closed as long as one site is closed.
                Target::Contradicts => Some(""),
            })
            .headers(&self.headers)
            .peer(peer)
    }
}

/// Collects the head. This clones the fields, so it stands behind a look at whether anything is closed.
pub(crate) fn head() -> impl Filter<Extract = (Head,), Error = Infallible> + Copy + Send + Sync {
    let query = warp::query::raw()
        .map(Some)
        .or(warp::any().map(|| None))
        .unify();
    let authority = warp::host::optional()
        .map(Ok)
        .or(warp::any().map(|| Err(())))
        .unify();
    warp::method()
        .and(peek())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(authority)
        .and(remote())
        .map(
            |method, seen: Seen, query, headers: HeaderMap, authority, remote| Head {
                target: target(authority, &headers),
                method,
                path: seen.path,
                version: seen.version,
                id: seen.id,
                query,
                headers,
                remote,
            },
        )
}

/// `warp::host::optional` compares the target's authority with the first `Host` and shows one of them, or
/// rejects; it never says which it was.
fn target(authority: Result<Option<Authority>, ()>, headers: &HeaderMap) -> Target {
    match authority {
        Ok(Some(authority)) if !headers.contains_key(HOST) => Target::Names(authority),
        Ok(_) => Target::AsHost,
        Err(()) => Target::Contradicts,
    }
}
