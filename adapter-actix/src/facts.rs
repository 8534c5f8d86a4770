//! From an actix request to the engine's facts, without copying.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::uri::Authority;
use maintenance_mode::path::escaped;
use maintenance_mode::{Facts, Headers, Peer, Single};

/// actix's header map, as the engine asks for fields.
pub(crate) struct HeaderView<'a>(pub(crate) &'a HeaderMap);

/// What the facts of a request borrow besides the request itself.
pub(crate) struct FactsSource<'a> {
    request: &'a HttpRequest,
    headers: HeaderView<'a>,
    routed_path: Option<Cow<'a, str>>,
}

impl<'a> FactsSource<'a> {
    pub(crate) fn new(request: &'a HttpRequest) -> Self {
        Self {
            request,
            headers: HeaderView(request.headers()),
            routed_path: routed_path(request),
        }
    }

    /// Never from `connection_info()`, which believes headers that anybody may send.
    pub(crate) fn facts(&self, peer: Peer) -> Facts<'_> {
        let uri = self.request.uri();
        Facts::new(self.request.method().as_str(), uri.path())
            .routed_path(self.routed_path.as_deref())
            .query(uri.query())
            .authority(uri.authority().map(Authority::as_str))
            .headers(&self.headers)
            .peer(peer)
    }
}

/// The address of the socket's other end.
pub(crate) fn socket_peer(request: &HttpRequest) -> Peer {
    request.peer_addr().map(|address| address.ip()).into()
}

/// What actix's router compares: escapes decoded, all but `%25`, `%2F` and `%2B`. `None` where that is
/// the path on the wire.
///
/// Rules are written as URL paths, so what the router decoded is escaped again where it must be.
fn routed_path(request: &HttpRequest) -> Option<Cow<'_, str>> {
    if !request.path().contains('%') {
        return None;
    }
    Some(escaped(request.match_info().as_str(), b"/%"))
}

impl HeaderView<'_> {
    /// The values of a field, without building a `HeaderName`, which would allocate for each name that
    /// the `http` crate does not know.
    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let name = known(name).or_else(|| self.0.keys().find(|key| key.as_str() == name));
        let values = name.map(|name| self.0.get_all(name));
        values.into_iter().flatten().map(HeaderValue::as_bytes)
    }
}

/// The names that the engine asks for most.
fn known(name: &str) -> Option<&'static HeaderName> {
    static HOST: HeaderName = header::HOST;
    static ACCEPT: HeaderName = header::ACCEPT;
    static ACCEPT_LANGUAGE: HeaderName = header::ACCEPT_LANGUAGE;
    static CONTENT_TYPE: HeaderName = header::CONTENT_TYPE;
    static ORIGIN: HeaderName = header::ORIGIN;
    static UPGRADE: HeaderName = header::UPGRADE;
    static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
    Some(match name {
        "host" => &HOST,
        "accept" => &ACCEPT,
        "accept-language" => &ACCEPT_LANGUAGE,
        "content-type" => &CONTENT_TYPE,
        "origin" => &ORIGIN,
        "upgrade" => &UPGRADE,
        "x-forwarded-for" => &X_FORWARDED_FOR,
        "sec-fetch-dest" => &SEC_FETCH_DEST,
        _ => return None,
    })
}

impl Headers for HeaderView<'_> {
    fn for_each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.values(name).for_each(visit);
    }

    fn single<'a>(&'a self, name: &str) -> Single<'a> {
        Single::from_values(self.values(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn fields_are_found_known_or_not_and_in_order() {
        let request = TestRequest::default()
            .append_header(("X-Forwarded-For", "192.0.2.1"))
            .append_header(("x-forwarded-for", "192.0.2.2"))
            .append_header(("X-Own", "a"))
            .to_http_request();
        let headers = HeaderView(request.headers());
        let mut seen = Vec::new();
        headers.for_each("x-forwarded-for", &mut |value| seen.push(value.to_vec()));
        assert_eq!(seen, [b"192.0.2.1", b"192.0.2.2"]);
        assert_eq!(headers.single("x-forwarded-for"), Single::Many);
        assert_eq!(headers.single("x-own"), Single::One(b"a"));
        assert_eq!(headers.single("x-other"), Single::Absent);
        assert_eq!(headers.single("host"), Single::Absent);
    }

    #[test]
    fn the_routed_path_is_what_actix_decoded() {
        let routed = |path: &str| {
            let request = TestRequest::with_uri(path).to_http_request();
            routed_path(&request).map(Cow::into_owned)
        };
        assert_eq!(routed("/admin"), None);
        assert_eq!(routed("/%61dmin").as_deref(), Some("/admin"));
        assert_eq!(
            routed("/caf%c3%a9/a%20b").as_deref(),
            Some("/caf%C3%A9/a%20b")
        );
        assert_eq!(routed("/a%2fb%25").as_deref(), Some("/a%2fb%25"));
    }
}
