//! Which host a request is for.
//!
//! Site modes close holes, so hosts are normalised (lower case, port and one trailing dot off), and
//! whatever cannot be normalised counts as malformed, which is never more open than unknown.

use crate::request::Single;

/// The longest host name (RFC 1035, section 2.3.4, without the root dot).
pub(crate) const MAX_HOST_BYTES: usize = 253;

/// A host as a request names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Host<'a> {
    /// A name in lower case, or an IPv4 address, without port.
    Name(&'a str),
    /// An IPv6 literal: well formed, and never a site's.
    Literal,
    /// Not a host at all.
    Malformed,
}

/// Room for a host in lower case.
#[derive(Debug)]
pub struct HostBuffer([u8; MAX_HOST_BYTES]);

impl Default for HostBuffer {
    fn default() -> Self {
        Self([0; MAX_HOST_BYTES])
    }
}

impl<'a> Host<'a> {
    /// Reads a `Host` field, an `:authority` or the authority of an absolute-form target
    /// (RFC 9110, section 7.2; RFC 3986, section 3.2, without user information).
    ///
    /// ```
    /// use maintenance_mode::host::{Host, HostBuffer};
    ///
    /// let mut buffer = HostBuffer::default();
    /// assert_eq!(Host::parse(b"Shop.Example.:443", &mut buffer), Host::Name("shop.example"));
    /// assert_eq!(Host::parse(b"shop.example@evil", &mut buffer), Host::Malformed);
    /// ```
    pub fn parse(raw: &[u8], buffer: &'a mut HostBuffer) -> Self {
        if raw.first() == Some(&b'[') {
            return literal(raw);
        }
        let (name, port) = match raw.iter().position(|b| *b == b':') {
            Some(colon) => (&raw[..colon], &raw[colon + 1..]),
            None => (raw, &raw[raw.len()..]),
        };
        if !is_port(port) {
            return Self::Malformed;
        }
        let name = name.strip_suffix(b".").unwrap_or(name);
        if !is_name(name) {
            return Self::Malformed;
        }
        let room = &mut buffer.0[..name.len()];
        room.copy_from_slice(name);
        room.make_ascii_lowercase();
        std::str::from_utf8(room).map_or(Self::Malformed, Self::Name)
    }
}

fn literal(raw: &[u8]) -> Host<'static> {
    let text = std::str::from_utf8(raw).unwrap_or_default();
    let well_formed = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .is_some_and(|(address, port)| {
            let port_is_good = match port.as_bytes() {
                [] => true,
                [b':', digits @ ..] => is_port(digits),
                _ => false,
            };
            address.parse::<std::net::Ipv6Addr>().is_ok() && port_is_good
        });
    if well_formed {
        Host::Literal
    } else {
        Host::Malformed
    }
}

/// An empty port is legal (RFC 3986, section 3.2.3).
fn is_port(digits: &[u8]) -> bool {
    digits.is_empty()
        || digits.len() <= 5
            && digits.iter().all(u8::is_ascii_digit)
            && std::str::from_utf8(digits).is_ok_and(|text| text.parse::<u16>().is_ok())
}

pub(crate) fn is_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= MAX_HOST_BYTES
        && name.split(|b| *b == b'.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        })
}

/// The one value of a host field; a doubled or comma-joined one is malformed, whichever site it names.
pub(crate) fn parse_single<'b>(field: Single<'_>, buffer: &'b mut HostBuffer) -> Option<Host<'b>> {
    match field {
        Single::Absent => None,
        Single::One(raw) => Some(Host::parse(raw, buffer)),
        Single::Many => Some(Host::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_normalised_or_malformed() {
        let long = "a".repeat(64);
        for (raw, expected) in [
            ("Shop.EXAMPLE", Some("shop.example")),
            ("shop.example.", Some("shop.example")),
            ("shop.example:", Some("shop.example")),
            ("shop.example:443", Some("shop.example")),
            ("127.0.0.1:8080", Some("127.0.0.1")),
            ("shop.example..", None),
            ("shop..example", None),
            (".shop.example", None),
            ("shop.example:99999", None),
            ("shop.example:+1", None),
            ("shop.example:1:2", None),
            ("shop.example@x", None),
            ("shop.example, blog.example", None),
            ("shop.example ", None),
            ("shop%2eexample", None),
            ("bücher.example", None),
            ("", None),
            (":80", None),
            (".", None),
            (&long, None),
        ] {
            let mut buffer = HostBuffer::default();
            let expected = expected.map_or(Host::Malformed, Host::Name);
            assert_eq!(Host::parse(raw.as_bytes(), &mut buffer), expected, "{raw}");
        }
    }

    #[test]
    fn literals_are_well_formed_or_malformed() {
        for (raw, expected) in [
            ("[2001:db8::1]", Host::Literal),
            ("[2001:db8::1]:8080", Host::Literal),
            ("[2001:db8::1]:", Host::Literal),
            ("[2001:db8::1", Host::Malformed),
            ("[2001:db8::1]x", Host::Malformed),
            ("[shop.example]", Host::Malformed),
        ] {
            assert_eq!(
                Host::parse(raw.as_bytes(), &mut HostBuffer::default()),
                expected,
                "{raw}"
            );
        }
    }
}
