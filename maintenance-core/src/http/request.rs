//! From a request's head to the engine's facts, without copying.

use ::http::uri::Authority;
use ::http::{HeaderMap, Method, Uri};

use crate::request::Facts;

/// What a request's head says. The peer is not in it: say [`Facts::peer`].
///
/// ```
/// use http::Request;
/// use maintenance_mode::Peer;
///
/// let request = Request::get("/cart?page=2").header("host", "shop.example").body(())?;
/// let facts = maintenance_mode::http::facts(request.method(), request.uri(), request.headers())
///     .peer(Peer::Addr("192.0.2.7".parse()?));
/// assert_eq!((facts.path, facts.query), ("/cart", Some("page=2")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn facts<'a>(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Facts<'a> {
    Facts::new(method.as_str(), uri.path())
        .query(uri.query())
        .authority(uri.authority().map(Authority::as_str))
        .headers(headers)
}
