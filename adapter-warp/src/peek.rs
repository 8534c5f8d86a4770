//! The path, the version and the place of a request, which warp shows to its loggers alone.
//!
//! `warp::path::full` panics where a target has no path, as in `CONNECT shop.example:443` and in
//! `GET shop.example` (RFC 9112, section 3.2.3), and for the version there is no filter at all.
//! `warp::log::custom` shows both, to a function that returns nothing. So a logger is put around a filter
//! that does nothing: it runs when that one is ready, which is at once, and what it leaves in the thread is
//! taken by the next callback, within the same call of `poll`.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::SocketAddr;

use http::Version;
use warp::Filter;

use crate::admissions::RequestId;

/// What was seen.
pub(crate) struct Seen {
    /// Still encoded; empty if the target has none.
    pub(crate) path: String,
    pub(crate) version: Version,
    pub(crate) id: RequestId,
}

/// No rule opens a request without a path.
impl Default for Seen {
    fn default() -> Self {
        Self {
            path: String::new(),
            version: Version::HTTP_11,
            id: RequestId::default(),
        }
    }
}

thread_local! {
    static SEEN: Cell<Option<Seen>> = const { Cell::new(None) };
}

/// The connection's other end: as `warp::serve` says it, or as whoever serves the filters otherwise has put
/// it into the request's extensions.
pub(crate) fn remote()
-> impl Filter<Extract = (Option<SocketAddr>,), Error = Infallible> + Copy + Send + Sync {
    warp::addr::remote()
        .and(warp::ext::optional())
        .map(|by_warp: Option<SocketAddr>, by_others| by_warp.or(by_others))
}

/// Looks at the request. The path is the whole one, whatever prefixes filters have matched.
pub(crate) fn peek() -> impl Filter<Extract = (Seen,), Error = Infallible> + Copy + Send + Sync {
    let leave = |info: warp::log::Info<'_>| {
        SEEN.set(Some(Seen {
            path: info.path().to_owned(),
            version: info.version(),
            id: RequestId::of(info.request_headers()),
        }));
    };
    warp::any()
        .map(warp::reply)
        .with(warp::log::custom(leave))
        .map(|_| SEEN.take().unwrap_or_default())
}
