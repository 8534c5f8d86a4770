//! What pages of other origins may see (Fetch standard, "HTTP CORS protocol").
//!
//! Without these fields a page's script sees a bare network error in place of the 503.

use super::prepared::{Field, Prepared};
use super::{CorsSetting, Format, MARKER};
use crate::policy::Complaints;
use crate::request::{Facts, Headers, Single};

/// What scripts may read besides the fields that they always may.
pub(super) const EXPOSED: &str = "Retry-After, X-Maintenance";

/// The longest method that a preflight may ask for, in bytes.
const MAX_METHOD: usize = 64;

/// The most that a preflight may name as its fields, in bytes over all lines.
const MAX_FIELDS: usize = 4 * 1024;

/// Whose pages may read the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cors {
    /// Everybody's, without credentials.
    Any,
    /// Only the site's own.
    Off,
    /// These origins, in lower case, with credentials.
    Listed(Vec<String>),
}

/// An origin that may read the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowed<'p> {
    /// The value of `Access-Control-Allow-Origin`.
    pub(super) origin: &'p str,
    /// Whether requests with cookies are meant too.
    pub(super) credentials: bool,
}

impl Cors {
    pub(super) fn compile(
        setting: Option<&CorsSetting>,
        place: &str,
        complaints: &mut Complaints,
    ) -> Self {
        const HINT: &str = "write \"any\", \"off\" or a list such as [\"https://app.example.com\"]";
        match setting {
            None => Self::Any,
            Some(CorsSetting::Word(word)) => match word.as_str() {
                "any" => Self::Any,
                "off" => Self::Off,
                other => {
                    complaints.add_with_hint(
                        format_args!("{place}.cors"),
                        format_args!("`{}` is not a setting", other.escape_debug()),
                        HINT,
                    );
                    Self::Off
                }
            },
            Some(CorsSetting::Origins(origins)) => {
                let mut good = Vec::with_capacity(origins.len());
                for (index, origin) in origins.iter().enumerate() {
                    match check_origin(origin) {
                        Ok(()) => good.push(origin.to_ascii_lowercase()),
                        Err(hint) => complaints.add_with_hint(
                            format_args!("{place}.cors[{index}]"),
                            format_args!(
                                "`{}` is not an origin as browsers send it",
                                origin.escape_debug()
                            ),
                            hint,
                        ),
                    }
                }
                Self::Listed(good)
            }
        }
    }

    /// Whether the answer depends on the request's origin.
    pub(super) const fn varies(&self) -> bool {
        !matches!(self, Self::Off)
    }

    /// What the request's origin may do; `None` if it has none.
    ///
    /// Only `Listed` origins get credentials. Were any origin's echoed with credentials, a foreign page
    /// could get permission for a write with the visitor's cookies while the site is closed, and the write
    /// itself would arrive the moment the site opens.
    pub(super) fn allow(&self, headers: &dyn Headers) -> Option<Allowed<'_>> {
        if *self == Self::Off {
            return None;
        }
        let Single::One(origin) = headers.single("origin") else {
            return None;
        };
        match self {
            Self::Any => Some(Allowed {
                origin: "*",
                credentials: false,
            }),
            Self::Off => None,
            Self::Listed(origins) => origins
                .iter()
                .find(|listed| listed.as_bytes() == origin)
                .map(|listed| Allowed {
                    origin: listed,
                    credentials: true,
                }),
        }
    }
}

/// Whether this is an origin as the Fetch standard serializes it; if not, the cure.
fn check_origin(origin: &str) -> Result<(), &'static str> {
    let lower = origin.to_ascii_lowercase();
    let (rest, default_port) = if let Some(rest) = lower.strip_prefix("https://") {
        (rest, ":443")
    } else if let Some(rest) = lower.strip_prefix("http://") {
        (rest, ":80")
    } else {
        return Err("begin with https:// or http://; for every origin write cors = \"any\"");
    };
    if rest.ends_with(default_port) {
        return Err("leave the default port out; browsers do");
    }
    if rest.contains('/') {
        return Err("end with the host or port, without a slash or path");
    }
    if is_host_and_port(rest) {
        Ok(())
    } else {
        Err(
            "write scheme, host and perhaps a port, each origin by itself; `*` and `null` cannot be listed",
        )
    }
}

/// A name in ASCII or an address, and perhaps a port; in lower case.
pub(super) fn is_host_and_port(text: &str) -> bool {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return false;
        };
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return false;
        }
        match port.strip_prefix(':') {
            Some(port) => (None, Some(port)),
            None if port.is_empty() => (None, None),
            None => return false,
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(text), None),
        }
    };
    if let Some(host) = host {
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| {
                    b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_')
                })
        };
        if host.len() > 253 || !host.split('.').all(is_label) {
            return false;
        }
    }
    port.is_none_or(|port| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0)
    })
}

/// The answer to a preflight of an allowed origin; `None` if it is none, or not a well-formed one.
///
/// It permits what is asked for, so that the page can send its request and see the 503. `Max-Age: 0`
/// keeps browsers from remembering it once the site is open and has rules of its own.
pub(super) fn preflight(facts: &Facts<'_>, allowed: Allowed<'_>) -> Option<Prepared> {
    if facts.method != "OPTIONS" {
        return None;
    }
    let Single::One(method) = facts.headers.single("access-control-request-method") else {
        return None;
    };
    let method = std::str::from_utf8(method)
        .ok()
        .filter(|m| m.len() <= MAX_METHOD && is_token(m))?;
    let mut fields = vec![
        Field::fixed("access-control-allow-origin", allowed.origin.to_owned()),
        Field::fixed("access-control-allow-methods", method.to_owned()),
        Field::fixed("access-control-max-age", "0"),
        Field::fixed("cache-control", "no-store"),
        Field::fixed("cdn-cache-control", "no-store"),
        Field::fixed(MARKER, super::MARKER_VALUE),
        Field::fixed(
            "vary",
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        ),
    ];
    if allowed.credentials {
        fields.push(Field::fixed("access-control-allow-credentials", "true"));
    }
    let names = requested_fields(facts.headers)?;
    if !names.is_empty() {
        fields.push(Field::fixed("access-control-allow-headers", names));
    }
    Some(Prepared::new(
        204,
        Format::Preflight,
        bytes::Bytes::new(),
        fields,
    ))
}

/// The names in `Access-Control-Request-Headers`, as a list; `None` if one is malformed.
fn requested_fields(headers: &dyn Headers) -> Option<String> {
    let mut names = String::new();
    let mut good = true;
    let mut bytes_left = MAX_FIELDS;
    headers.for_each("access-control-request-headers", &mut |line| {
        let Some(left) = bytes_left.checked_sub(line.len()).filter(|_| good) else {
            good = false;
            return;
        };
        bytes_left = left;
        for name in line.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
            match std::str::from_utf8(name) {
                Ok("") => {}
                Ok(name) if is_token(name) => {
                    if !names.is_empty() {
                        names.push_str(", ");
                    }
                    names.push_str(name);
                }
                _ => good = false,
            }
        }
    });
    good.then_some(names)
}

/// `token` of RFC 9110, section 5.6.2.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| {
            b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(setting: &CorsSetting) -> (Cors, Vec<String>) {
        let mut complaints = Complaints::new();
        let cors = Cors::compile(Some(setting), "answer", &mut complaints);
        (
            cors,
            complaints.iter().map(|c| c.place().to_owned()).collect(),
        )
    }

    #[test]
    fn settings() {
        let word = |word: &str| compiled(&CorsSetting::Word(word.to_owned()));
        assert_eq!(word("any"), (Cors::Any, vec![]));
        assert_eq!(word("off"), (Cors::Off, vec![]));
        assert_eq!(word("*"), (Cors::Off, vec!["answer.cors".to_owned()]));
        let origins = [
            "https://App.example.com",
            "http://localhost:3000",
            "https://[::1]:8443",
        ];
        let list = CorsSetting::Origins(origins.map(str::to_owned).to_vec());
        assert_eq!(
            compiled(&list),
            (
                Cors::Listed(origins.map(str::to_ascii_lowercase).to_vec()),
                vec![]
            )
        );
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for bad in [
            "*",
            "null",
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com:443",
            "http://a:80",
            "https://",
            "https://a b",
            "https://*.example.com",
            "https://user@host",
            "https://[::1",
            "https://[::1]8",
            "ftp://host",
            "https://host:",
            "https://a\r\nb",
        ] {
            let (cors, places) = compiled(&CorsSetting::Origins(vec![bad.to_owned()]));
            assert_eq!(places, ["answer.cors[0]"], "{bad:?}");
            assert_eq!(cors, Cors::Listed(vec![]));
        }
    }

    #[test]
    fn who_may_read() {
        let listed = Cors::Listed(vec!["https://a.example".to_owned()]);
        let from = |origin: &'static str| vec![("origin", origin)];
        assert_eq!(
            Cors::Any.allow(&from("https://x")),
            Some(Allowed {
                origin: "*",
                credentials: false
            })
        );
        assert_eq!(Cors::Off.allow(&from("https://x")), None);
        assert_eq!(
            listed.allow(&from("https://a.example")),
            Some(Allowed {
                origin: "https://a.example",
                credentials: true
            })
        );
        for other in [
            "https://a.example.evil",
            "http://a.example",
            "null",
            "https://a.example:8443",
            "",
        ] {
            assert_eq!(listed.allow(&from(other)), None, "{other}");
        }
        let twice = vec![
            ("origin", "https://a.example"),
            ("origin", "https://a.example"),
        ];
        assert_eq!(listed.allow(&twice), None);
    }

    #[test]
    fn malformed_preflights_are_no_preflights() {
        let allowed = Allowed {
            origin: "*",
            credentials: false,
        };
        let answer = |fields: &[(&'static str, &'static str)]| {
            let fields = fields.to_vec();
            preflight(&Facts::new("OPTIONS", "/").headers(&fields), allowed).is_some()
        };
        let method = ("access-control-request-method", "PUT");
        assert!(answer(&[method]));
        assert!(answer(&[
            method,
            ("access-control-request-headers", "x-a,X-B")
        ]));
        assert!(!answer(&[]));
        assert!(!answer(&[method, method]));
        assert!(!answer(&[("access-control-request-method", "PUT\r\nx: y")]));
        assert!(!answer(&[("access-control-request-method", "")]));
        assert!(!answer(&[
            method,
            ("access-control-request-headers", "x-a: b")
        ]));
        assert!(!answer(&[
            method,
            ("access-control-request-headers", "x\r\ny")
        ]));
        let long = "x".repeat(MAX_FIELDS + 1);
        let fields = vec![method, ("access-control-request-headers", long.as_str())];
        assert!(preflight(&Facts::new("OPTIONS", "/").headers(&fields), allowed).is_none());
        assert!(preflight(&Facts::new("GET", "/").headers(&vec![method]), allowed).is_none());
    }
}
