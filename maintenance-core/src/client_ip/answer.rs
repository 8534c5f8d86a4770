//! What comes out: an address, or why there is none.

use std::fmt;
use std::net::IpAddr;

/// The client's address, as far as it can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum ClientIp {
    /// This address; never an IPv4-mapped one.
    Known(IpAddr),
    /// No address. It matches no address rule.
    Unresolved {
        /// Why not.
        why: Unresolved,
        /// The known address nearest to where the trail was lost: a proxy, for finding the fault.
        nearest: Option<IpAddr>,
    },
}

impl ClientIp {
    /// The address, if it is known.
    #[must_use]
    pub const fn known(self) -> Option<IpAddr> {
        match self {
            Self::Known(address) => Some(address),
            Self::Unresolved { .. } => None,
        }
    }
}

impl fmt::Display for ClientIp {
    /// The address, `unresolved(unknown, nearest=10.0.0.9)`, or `unresolved(unix_peer)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(address) => address.fmt(f),
            Self::Unresolved {
                why,
                nearest: Some(nearest),
            } => write!(f, "unresolved({why}, nearest={nearest})"),
            Self::Unresolved { why, nearest: None } => write!(f, "unresolved({why})"),
        }
    }
}

/// Why there is no address. Each has a stable code for logs and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unresolved {
    /// The framework could not tell the peer.
    NoPeer,
    /// The peer is a unix socket, which has no address, and it is not trusted to name one.
    UnixPeer,
    /// The configured header is absent or empty, and nothing else has an address.
    NoHeader,
    /// The list is shorter than the configured number of hops.
    TooFewElements,
    /// The list has more than 64 elements.
    TooManyElements,
    /// The header breaks the grammar (of RFC 7239, for `Forwarded`), so its elements cannot be told
    /// apart with certainty.
    BadSyntax,
    /// An element of `Forwarded` names a parameter twice (RFC 7239, section 4).
    RepeatedParameter,
    /// An element of `Forwarded` has more parameters than are read (16).
    TooManyParameters,
    /// A single-value header has more than one line.
    RepeatedHeader,
    /// A single-value header has a comma.
    SeveralValues,
    /// A proxy wrote `unknown` (RFC 7239, section 6.2).
    Unknown,
    /// A proxy wrote an obfuscated identifier such as `_hidden` (RFC 7239, section 6.3).
    Obfuscated,
    /// An element of `Forwarded` has no `for`.
    MissingFor,
    /// Something that is not an address in a form that is read.
    NotAnAddress,
    /// The source is the PROXY protocol, and the connection came without its header.
    NoProxyHeader,
    /// The PROXY protocol header carries no IP address.
    UnusableProxyHeader,
}

impl Unresolved {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoPeer => "no_peer",
            Self::UnixPeer => "unix_peer",
            Self::NoHeader => "no_header",
            Self::TooFewElements => "too_few_elements",
            Self::TooManyElements => "too_many_elements",
            Self::BadSyntax => "bad_syntax",
            Self::RepeatedParameter => "repeated_parameter",
            Self::TooManyParameters => "too_many_parameters",
            Self::RepeatedHeader => "repeated_header",
            Self::SeveralValues => "several_values",
            Self::Unknown => "unknown",
            Self::Obfuscated => "obfuscated",
            Self::MissingFor => "missing_for",
            Self::NotAnAddress => "not_an_address",
            Self::NoProxyHeader => "no_proxy_header",
            Self::UnusableProxyHeader => "unusable_proxy_header",
        }
    }

    /// The same for people, as the end of a sentence about the thing at fault.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::NoPeer => "the framework could not tell the peer",
            Self::UnixPeer => "a unix socket has no address",
            Self::NoHeader => "it is absent or empty",
            Self::TooFewElements => "it has fewer elements than hops are configured",
            Self::TooManyElements => "it has more than 64 elements",
            Self::BadSyntax => "it breaks the grammar of the header",
            Self::RepeatedParameter => "one of its elements names a parameter twice",
            Self::TooManyParameters => "one of its elements has more than 16 parameters",
            Self::RepeatedHeader => "it has more than one line",
            Self::SeveralValues => "it has more than one value",
            Self::Unknown => "its proxy did not know the address",
            Self::Obfuscated => "its proxy hides the address",
            Self::MissingFor => "it has no `for`",
            Self::NotAnAddress => "it is not an address",
            Self::NoProxyHeader => "the connection came without one",
            Self::UnusableProxyHeader => "it carries no IP address",
        }
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
