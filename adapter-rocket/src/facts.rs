//! From a Rocket request to the engine's facts.

use std::borrow::Cow;

use maintenance_mode::path::escaped;
use maintenance_mode::{Facts, Headers, Peer, Single};
use rocket::form::Form;
use rocket::http::uri::Host;
use rocket::http::{Header, HeaderMap, Method};
use rocket::{Data, Request};

/// The length of the longest `_method=…` that Rocket looks for.
const LONGEST_OVERRIDE: usize = "_method=delete".len();

/// Rocket's header map, as the engine asks for fields.
struct HeaderView<'a>(&'a HeaderMap<'a>);

impl HeaderView<'_> {
    /// The values of a field. Looking at each name is quicker than Rocket's own way, which hashes byte by
    /// byte.
    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        let is_asked = move |field: &Header<'_>| {
            let own = field.name.as_str();
            own.len() == name.len() && own.eq_ignore_ascii_case(name)
        };
        self.0.iter().filter(is_asked).map(|field| field.value)
    }
}

impl Headers for HeaderView<'_> {
    fn for_each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.values(name).for_each(|value| visit(value.as_bytes()));
    }

    fn single<'a>(&'a self, name: &str) -> Single<'a> {
        let mut values = self.values(name);
        match (values.next(), values.next()) {
            (None, _) => Single::Absent,
            (Some(Cow::Borrowed(value)), None) => Single::One(value.as_bytes()),
            // Rocket lends its values; one that it did not would have to be found in its own way.
            (Some(Cow::Owned(_)), None) => Single::from_values(self.0.get(name).map(str::as_bytes)),
            (Some(_), Some(_)) => Single::Many,
        }
    }
}

/// What the facts of a request borrow besides the request itself.
pub(crate) struct FactsSource<'a> {
    headers: HeaderView<'a>,
    path: &'a str,
    query: Option<&'a str>,
    method: Method,
    effective_method: Option<Method>,
    routed_path: Option<String>,
    authority: Option<String>,
}

impl<'a> FactsSource<'a> {
    /// `overridden`: a form's `_method` made the method what it is.
    pub(crate) fn new(request: &'a Request<'_>, overridden: bool) -> Self {
        let path = request.uri().path().as_str();
        let query = request.uri().query();
        Self {
            headers: HeaderView(request.headers()),
            path,
            query: query.map(|query| query.as_str()),
            method: if overridden {
                Method::Post
            } else {
                request.method()
            },
            effective_method: overridden.then(|| request.method()),
            routed_path: routed_path(request),
            authority: authority(request),
        }
    }

    pub(crate) fn facts(&self, peer: Peer) -> Facts<'_> {
        Facts::new(self.method.as_str(), self.path)
            .effective_method(self.effective_method.map(Method::as_str))
            .routed_path(self.routed_path.as_deref())
            .query(self.query)
            .authority(self.authority.as_deref())
            .headers(&self.headers)
            .peer(peer)
    }
}

/// Whether a form's `_method` made the request's method what it is. The bytes have come already: Rocket
/// has looked at them for the same purpose.
pub(crate) async fn is_overridden(request: &Request<'_>, data: &mut Data<'_>) -> bool {
    let is_form = request.content_type().is_some_and(|kind| kind.is_form());
    if !is_form || request.method() == Method::Post {
        return false;
    }
    let begin = data.peek(LONGEST_OVERRIDE).await;
    let field = std::str::from_utf8(begin)
        .ok()
        .and_then(|text| Form::values(text).next());
    field
        .is_some_and(|field| field.name == "_method" && field.value.parse() == Ok(request.method()))
}

/// What Rocket's router compares: the segments that are not empty, decoded. `None` where that is the path
/// on the wire. A slash at the end stays: the router does not care, and rules do.
///
/// Rules are written as URL paths, so what the router decoded is escaped again where it must be.
fn routed_path(request: &Request<'_>) -> Option<String> {
    let path = request.uri().path();
    let wire = path.as_str();
    let is_plain = !wire.contains('%') && !wire.contains("//");
    if is_plain {
        return None;
    }
    let mut routed = String::with_capacity(wire.len() + 16);
    for segment in path.segments() {
        routed.push('/');
        routed.push_str(&escaped(segment, b""));
    }
    if wire.ends_with('/') {
        routed.push('/');
    }
    Some(routed)
}

/// `:authority` of HTTP/2, which Rocket keeps as the host. In HTTP/1 that is the `Host` field, which the
/// engine reads itself.
fn authority(request: &Request<'_>) -> Option<String> {
    let host = request.host()?;
    let mut fields = request.headers().get("host");
    match (fields.next(), fields.next()) {
        (Some(_), Some(_)) => None,
        (Some(field), None) if is_written(host, field) => None,
        _ => Some(host.to_string()),
    }
}

fn is_written(host: &Host<'_>, field: &str) -> bool {
    let Some(port) = field.strip_prefix(host.domain().as_str()) else {
        return false;
    };
    match host.port() {
        None => port.is_empty(),
        Some(number) => port
            .strip_prefix(':')
            .is_some_and(|port| port.parse() == Ok(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rocket::local::blocking::Client;

    fn with_request<T>(path: &str, check: impl FnOnce(&Request<'_>) -> T) -> T {
        let client = Client::untracked(rocket::build()).expect("a Rocket without routes");
        check(client.get(path.to_owned()).inner())
    }

    #[test]
    fn the_routed_path_is_what_rocket_compares() {
        let routed = |path| with_request(path, routed_path);
        assert_eq!(routed("/"), None);
        assert_eq!(routed("/admin/x.css"), None);
        assert_eq!(routed("/%61dmin").as_deref(), Some("/admin"));
        assert_eq!(routed("//admin").as_deref(), Some("/admin"));
        assert_eq!(routed("/admin/"), None);
        assert_eq!(routed("//admin/").as_deref(), Some("/admin/"));
        assert_eq!(routed("//").as_deref(), Some("/"));
        assert_eq!(routed("/a%2fb%25").as_deref(), Some("/a%2Fb%25"));
        assert_eq!(routed("/caf%c3%a9").as_deref(), Some("/caf%C3%A9"));
    }

    #[test]
    fn the_authority_is_told_where_no_field_says_it() {
        use rocket::http::uri::{Authority, Host};
        let client = Client::untracked(rocket::build()).expect("a Rocket without routes");
        let of = |host: &'static str, fields: &[&'static str]| {
            let mut request = client.get("/");
            request.set_host(Host::new(Authority::parse(host).expect("an authority")));
            for field in fields {
                request.add_header(Header::new("Host", *field));
            }
            authority(request.inner())
        };
        assert_eq!(
            of("shop.example:80", &[]).as_deref(),
            Some("shop.example:80")
        );
        assert_eq!(of("shop.example:80", &["shop.example:80"]), None);
        assert_eq!(of("shop.example", &["shop.example"]), None);
        assert_eq!(of("shop.example", &["a", "b"]), None);
        assert_eq!(
            of("shop.example", &["blog.example"]).as_deref(),
            Some("shop.example")
        );
        assert_eq!(
            of("shop.example", &["shop.example.evil"]).as_deref(),
            Some("shop.example")
        );
    }

    #[test]
    fn fields_are_found_without_regard_to_case() {
        let client = Client::untracked(rocket::build()).expect("a Rocket without routes");
        let mut request = client.get("/");
        for value in ["192.0.2.1", "192.0.2.2"] {
            request.add_header(Header::new("X-Forwarded-For", value));
        }
        request.add_header(Header::new("X-Own", "a"));
        let headers = HeaderView(request.inner().headers());
        let mut seen = Vec::new();
        headers.for_each("x-forwarded-for", &mut |value| seen.push(value.to_vec()));
        assert_eq!(seen, [b"192.0.2.1", b"192.0.2.2"]);
        assert_eq!(headers.single("x-forwarded-for"), Single::Many);
        assert_eq!(headers.single("x-own"), Single::One(b"a"));
        assert_eq!(headers.single("x-other"), Single::Absent);
    }
}
