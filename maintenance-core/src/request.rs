//! Facts: what is known of one request, borrowed and free of any framework.
//!
//! An adapter fills a [`Facts`] from its framework's request without copying; the engine reads it.
//! Nothing in here believes a header: [`crate::client_ip`] and [`crate::host`] decide what counts.

use std::fmt;
use std::net::IpAddr;

/// The header fields of one request, as the engine asks for them.
///
/// Names are given in lower case. Implementations call `visit` once per field line, in the order in
/// which the lines arrived, with the raw value.
pub trait Headers {
    /// Calls `visit` for each field line with this (lower-case) name.
    fn for_each(&self, name: &str, visit: &mut dyn FnMut(&[u8]));

    /// The value, if there is exactly one field line with this name.
    fn single<'a>(&'a self, name: &str) -> Single<'a>;
}

/// What [`Headers::single`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Single<'a> {
    /// No field line.
    Absent,
    /// Exactly one field line, with this value.
    One(&'a [u8]),
    /// Two or more field lines: whoever needs one value must not pick.
    Many,
}

impl<'a> Single<'a> {
    /// Counts values into `Absent`, `One` or `Many`.
    pub fn from_values(mut values: impl Iterator<Item = &'a [u8]>) -> Self {
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::One(value),
            (Some(_), Some(_)) => Self::Many,
        }
    }
}

/// No headers at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHeaders;

impl Headers for NoHeaders {
    fn for_each(&self, _name: &str, _visit: &mut dyn FnMut(&[u8])) {}

    fn single<'a>(&'a self, _name: &str) -> Single<'a> {
        Single::Absent
    }
}

/// Headers as name and value pairs; names compare without regard to case.
impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn for_each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        for (field, value) in self {
            if field.as_ref().eq_ignore_ascii_case(name) {
                visit(value.as_ref());
            }
        }
    }

    fn single<'a>(&'a self, name: &str) -> Single<'a> {
        Single::from_values(
            self.iter()
                .filter(|(field, _)| field.as_ref().eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_ref()),
        )
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize> Headers for [(N, V); COUNT] {
    fn for_each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.as_slice().for_each(name, visit);
    }

    fn single<'a>(&'a self, name: &str) -> Single<'a> {
        self.as_slice().single(name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn for_each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.as_slice().for_each(name, visit);
    }

    fn single<'a>(&'a self, name: &str) -> Single<'a> {
        self.as_slice().single(name)
    }
}

impl<H: Headers + ?Sized> Headers for &H {
    fn for_each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        (**self).for_each(name, visit);
    }

    fn single<'a>(&'a self, name: &str) -> Single<'a> {
        (**self).single(name)
    }
}

/// The other end of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// The framework could not tell.
    #[default]
    Unknown,
    /// A unix socket: somebody on this machine.
    Unix,
    /// An address, without its port.
    Addr(IpAddr),
}

impl From<IpAddr> for Peer {
    fn from(addr: IpAddr) -> Self {
        Self::Addr(addr)
    }
}

impl From<Option<IpAddr>> for Peer {
    fn from(addr: Option<IpAddr>) -> Self {
        addr.map_or(Self::Unknown, Self::Addr)
    }
}

/// What a listener read from a PROXY protocol header (HAProxy's specification, versions 1 and 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyHeader {
    /// `LOCAL` or `UNKNOWN`: the proxy speaks for itself; the connection's peer counts.
    Local,
    /// `PROXY` with a source address.
    Source(IpAddr),
    /// `PROXY` with something that is not an IP address (a unix path, garbage).
    Unusable,
}

/// Who asks.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum Visitor<'a> {
    /// Not looked up. Looking up is often a database read: see [`crate::Snapshot::needs_visitor`].
    #[default]
    Unknown,
    /// Looked up: nobody is logged in.
    Anonymous,
    /// Looked up: this user is logged in.
    User(User<'a>),
}

/// A logged-in visitor, as the application's own session says. Never filled from a header.
#[derive(Clone, Copy)]
pub struct User<'a> {
    /// The application's name or number for the user.
    pub id: &'a str,
    /// Role names; `staff` and `superuser` have a conventional meaning (see the log-out settings).
    pub roles: &'a [&'a str],
    /// Whether the user was inside before the present maintenance began (`Pending` lets him finish).
    pub inside: bool,
}

impl fmt::Debug for User<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("roles", &self.roles)
            .field("inside", &self.inside)
            .finish()
    }
}

impl<'a> User<'a> {
    /// A user without roles who was not inside before.
    #[must_use]
    pub const fn new(id: &'a str) -> Self {
        Self {
            id,
            roles: &[],
            inside: false,
        }
    }

    /// The same user with these roles.
    #[must_use]
    pub const fn roles(mut self, roles: &'a [&'a str]) -> Self {
        self.roles = roles;
        self
    }

    /// The same user, known to have had a session before the present maintenance began.
    #[must_use]
    pub const fn inside(mut self, inside: bool) -> Self {
        self.inside = inside;
        self
    }
}

/// What the application fixed for one route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouteOverride {
    /// This route is always open, whatever the mode.
    ForceOff,
    /// This route is always closed, whatever the mode and the exemptions.
    ForceOn,
}

/// What is known of one request. Build it with [`Facts::new`] and the setters.
///
/// ```
/// use maintenance_mode::{Facts, Peer};
///
/// let headers = [("host", "shop.example.com"), ("accept", "text/html")];
/// let facts = Facts::new("GET", "/cart")
///     .query(Some("page=2"))
///     .headers(&headers)
///     .peer(Peer::Addr("192.0.2.7".parse()?));
/// assert_eq!(facts.path, "/cart");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Facts<'a> {
    /// The method on the wire, byte for byte.
    pub method: &'a str,
    /// The method that the application will see, where a framework has changed it (a form's `_method`).
    pub effective_method: Option<&'a str>,
    /// The full original path, still encoded, without the query; `*` for the asterisk form.
    pub path: &'a str,
    /// What the router compares, where that differs from `path`; rules must match both.
    pub routed_path: Option<&'a str>,
    /// The query, without `?`. No rule looks at it; answers may (for the redirect's way back).
    pub query: Option<&'a str>,
    /// `:authority` of HTTP/2 and 3, or the authority of an absolute-form target.
    pub authority: Option<&'a str>,
    /// The header fields, `Host` among them.
    pub headers: &'a dyn Headers,
    /// The other end of the connection.
    pub peer: Peer,
    /// What the listener read from a PROXY protocol header, if it reads one.
    pub proxy_header: Option<ProxyHeader>,
    /// Who asks, as far as it was looked up.
    pub visitor: Visitor<'a>,
    /// What the application fixed for this route.
    pub route_override: Option<RouteOverride>,
    /// The route is one of the control endpoints, known by the route's identity and never by its path.
    pub control: bool,
    /// The application runs under test. Set by the application's code, never by a header.
    pub test: bool,
}

impl<'a> Facts<'a> {
    /// Facts with a method and a full original path; everything else unknown.
    #[must_use]
    pub const fn new(method: &'a str, path: &'a str) -> Self {
        Self {
            method,
            effective_method: None,
            path,
            routed_path: None,
            query: None,
            authority: None,
            headers: &NoHeaders,
            peer: Peer::Unknown,
            proxy_header: None,
            visitor: Visitor::Unknown,
            route_override: None,
            control: false,
            test: false,
        }
    }

    /// Sets the method that the application will see.
    #[must_use]
    pub const fn effective_method(mut self, method: Option<&'a str>) -> Self {
        self.effective_method = method;
        self
    }

    /// Sets what the router compares.
    #[must_use]
    pub const fn routed_path(mut self, path: Option<&'a str>) -> Self {
        self.routed_path = path;
        self
    }

    /// Sets the query.
    #[must_use]
    pub const fn query(mut self, query: Option<&'a str>) -> Self {
        self.query = query;
        self
    }

    /// Sets the authority of the target.
    #[must_use]
    pub const fn authority(mut self, authority: Option<&'a str>) -> Self {
        self.authority = authority;
        self
    }

    /// Sets the header fields.
    #[must_use]
    pub const fn headers(mut self, headers: &'a dyn Headers) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the other end of the connection.
    #[must_use]
    pub const fn peer(mut self, peer: Peer) -> Self {
        self.peer = peer;
        self
    }

    /// Sets what the listener read from a PROXY protocol header.
    #[must_use]
    pub const fn proxy_header(mut self, header: Option<ProxyHeader>) -> Self {
        self.proxy_header = header;
        self
    }

    /// Sets who asks.
    #[must_use]
    pub const fn visitor(mut self, visitor: Visitor<'a>) -> Self {
        self.visitor = visitor;
        self
    }

    /// Sets what the application fixed for this route.
    #[must_use]
    pub const fn route_override(mut self, route: Option<RouteOverride>) -> Self {
        self.route_override = route;
        self
    }

    /// Says whether the route is one of the control endpoints.
    #[must_use]
    pub const fn control(mut self, control: bool) -> Self {
        self.control = control;
        self
    }

    /// Says whether the application runs under test.
    #[must_use]
    pub const fn test(mut self, test: bool) -> Self {
        self.test = test;
        self
    }
}

impl fmt::Debug for Facts<'_> {
    /// Leaves the headers out: they carry secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("authority", &self.authority)
            .field("peer", &self.peer)
            .field("visitor", &self.visitor)
            .field("route_override", &self.route_override)
            .finish_non_exhaustive()
    }
}
