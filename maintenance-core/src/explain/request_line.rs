//! A request as one JSON line, for trying a policy without a server.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use super::UnknownSite;
use crate::request::{Facts, Peer, ProxyHeader, User, Visitor};
use crate::state::{Mode, SiteName};
use crate::time::Timestamp;

/// A request as one JSON line. Everything but `target` may be left out.
///
/// ```
/// use maintenance_mode::explain::RequestLine;
///
/// let line: RequestLine = r#"{"target": "http://shop.example/cart?x=1", "peer": "192.0.2.7"}"#.parse()?;
/// line.with_facts(|facts| {
///     assert_eq!((facts.path, facts.authority), ("/cart", Some("shop.example")));
/// });
/// # Ok::<(), maintenance_mode::explain::RequestLineError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RequestLine {
    /// The method on the wire; GET when left out.
    pub method: Option<String>,
    /// The request target as on the wire, in origin, absolute or asterisk form. The one part that must be given.
    pub target: Option<String>,
    /// Header fields, in order.
    pub headers: Vec<(String, String)>,
    /// The connection's other end: an address, or `unix`.
    pub peer: Option<String>,
    /// `:authority` of HTTP/2.
    pub authority: Option<String>,
    /// `1.0`, `1.1`, `2` or `3`. The decision does not depend on it.
    pub http_version: Option<String>,
    /// What a nested router shows. The decision does not look at it: adapters give the original path.
    pub inner_path: Option<String>,
    /// What the router compares, where that differs from the path.
    pub routed_path: Option<String>,
    /// The method that the application sees, where a framework has changed it.
    pub effective_method: Option<String>,
    /// What a listener read from a PROXY protocol header.
    pub proxy_protocol: Option<ProxyLine>,
    /// Whether the visitor is logged in. True if `user` or `roles` are given.
    pub authenticated: Option<bool>,
    /// The user's id.
    pub user: Option<String>,
    /// The user's roles.
    pub roles: Vec<String>,
    /// Whether the user was inside before the site began to close.
    pub inside: bool,
    /// Whether the application runs under test.
    pub test: bool,
    /// Plain modes of sites, in place of those of the state.
    pub site_modes: BTreeMap<SiteName, Mode>,
    /// The time of the request: RFC 3339, or seconds since 1970. The present when left out.
    pub now: Option<TimeLine>,
}

/// What a listener read from a PROXY protocol header.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ProxyLine {
    /// `PROXY`, `LOCAL` or `UNKNOWN`.
    pub command: String,
    /// `INET`, `INET6`, `UNIX`, `UNSPEC`, or their version 1 names.
    pub family: Option<String>,
    /// The source address.
    pub src: Option<String>,
    /// The source port.
    pub src_port: Option<u16>,
    /// The destination address.
    pub dst: Option<String>,
    /// The destination port.
    pub dst_port: Option<u16>,
}

/// A time in one of two spellings.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum TimeLine {
    /// RFC 3339.
    Text(Timestamp),
    /// Seconds since 1970.
    Seconds(i64),
}

/// The line cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestLineError {
    /// Not JSON, or keys and values that are not known.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// The target is missing.
    #[error("`target` is missing; give the request target, such as \"/cart?page=2\"")]
    NoTarget,
    /// `site_modes` names a site that is not configured.
    #[error(transparent)]
    UnknownSite(#[from] UnknownSite),
    /// The peer is neither an address nor `unix`.
    #[error("`{0}` is not a peer; give an address without port, or \"unix\"")]
    Peer(String),
}

impl std::str::FromStr for RequestLine {
    type Err = RequestLineError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let line: Self = serde_json::from_str(text)?;
        line.check()?;
        Ok(line)
    }
}

impl RequestLine {
    /// A GET request for a target.
    pub fn new(target: impl Into<String>) -> Self {
        Self {
            target: Some(target.into()),
            ..Self::default()
        }
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    ///
    /// No target, or a peer that is none.
    pub fn check(&self) -> Result<(), RequestLineError> {
        if self.target.is_none() {
            return Err(RequestLineError::NoTarget);
        }
        self.peer().map(|_| ())
    }

    /// The time of the request, if the line has one.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.now.map(|now| match now {
            TimeLine::Text(time) => time,
            TimeLine::Seconds(seconds) => Timestamp::from_millis(seconds.saturating_mul(1000)),
        })
    }

    /// Calls `ask` with the facts of this request.
    pub fn with_facts<T>(&self, ask: impl FnOnce(&Facts<'_>) -> T) -> T {
        let target = Target::parse(self.target.as_deref().unwrap_or_default());
        let roles: Vec<&str> = self.roles.iter().map(String::as_str).collect();
        let logged_in = self
            .authenticated
            .unwrap_or(self.user.is_some() || !roles.is_empty());
        let visitor = if logged_in {
            let id = self.user.as_deref().unwrap_or("unnamed");
            Visitor::User(User::new(id).roles(&roles).inside(self.inside))
        } else {
            Visitor::Anonymous
        };
        let facts = Facts::new(self.method.as_deref().unwrap_or("GET"), target.path)
            .query(target.query)
            .authority(self.authority.as_deref().or(target.authority))
            .headers(&self.headers)
            .peer(self.peer().unwrap_or_default())
            .proxy_header(self.proxy_protocol.as_ref().map(ProxyLine::header))
            .effective_method(self.effective_method.as_deref())
            .routed_path(self.routed_path.as_deref())
            .visitor(visitor)
            .test(self.test);
        ask(&facts)
    }

    fn peer(&self) -> Result<Peer, RequestLineError> {
        match self.peer.as_deref() {
            None => Ok(Peer::Unknown),
            Some("unix") => Ok(Peer::Unix),
            Some(text) => text
                .parse()
                .map(Peer::Addr)
                .map_err(|_| RequestLineError::Peer(text.to_owned())),
        }
    }
}

impl ProxyLine {
    fn header(&self) -> ProxyHeader {
        let family = self.family.as_deref().unwrap_or("UNSPEC");
        let source: Option<IpAddr> = self.src.as_deref().and_then(|src| src.parse().ok());
        match (self.command.as_str(), source) {
            ("PROXY", Some(source)) => ProxyHeader::Source(source),
            ("PROXY", None) if matches!(family, "UNSPEC" | "UNKNOWN") && self.src.is_none() => {
                ProxyHeader::Local
            }
            ("LOCAL" | "UNKNOWN", _) => ProxyHeader::Local,
            _ => ProxyHeader::Unusable,
        }
    }
}

/// A request target taken apart (RFC 9112, section 3.2), nothing decoded or corrected.
struct Target<'a> {
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Target<'a> {
    fn parse(target: &'a str) -> Self {
        let absolute = target.split_once("://").filter(|(scheme, _)| {
            !scheme.is_empty()
                && scheme
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        });
        let (authority, rest) = match absolute {
            None => (None, target),
            Some((_, rest)) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
        };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let path = if path.is_empty() && authority.is_some() {
            "/"
        } else {
            path
        };
        Self {
            authority,
            path,
            query,
        }
    }
}
