//! Where the address comes from, as configured.

use std::fmt;

use crate::policy::Complaints;

/// One source; no other is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Peer,
    List(ListHeader),
    /// A header with one value; its name in lower case.
    Single(Box<str>),
    ProxyProtocol,
}

/// A header whose value is a list that each proxy extends on the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListHeader {
    XForwardedFor,
    Forwarded,
}

impl ListHeader {
    /// The name in lower case.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Peer => "the peer",
            Self::List(header) => header.name(),
            Self::Single(name) => name,
            Self::ProxyProtocol => "the PROXY protocol header",
        })
    }
}

const KNOWN: [&str; 5] = [
    "peer",
    "x-forwarded-for",
    "forwarded",
    "proxy-protocol",
    "xff",
];
const ALL: &str = "one of peer, x-forwarded-for, forwarded, header:NAME, proxy-protocol";

/// What people call a source in other software.
const ALSO_CALLED: [(&str, &str); 8] = [
    ("direct", "peer"),
    ("socket", "peer"),
    ("remote-addr", "peer"),
    ("connect-info", "peer"),
    ("rfc7239", "forwarded"),
    ("proxy", "proxy-protocol"),
    ("proxyprotocol", "proxy-protocol"),
    ("haproxy", "proxy-protocol"),
];

/// Headers that carry something else, or that a client always writes himself.
const NOT_AN_ADDRESS: [&str; 30] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "range",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
];

/// Reads the configured source; complains at `place` and gives none if it is not one.
pub(super) fn read(text: &str, place: &str, complaints: &mut Complaints) -> Option<Source> {
    match text {
        "peer" => Some(Source::Peer),
        "x-forwarded-for" | "xff" => Some(Source::List(ListHeader::XForwardedFor)),
        "forwarded" => Some(Source::List(ListHeader::Forwarded)),
        "proxy-protocol" => Some(Source::ProxyProtocol),
        _ => match text.strip_prefix("header:") {
            Some(name) => single(name, place, complaints),
            None => {
                complaints.add_with_hint(
                    place,
                    format_args!("`{}` is not a source", text.escape_debug()),
                    suggest(text),
                );
                None
            }
        },
    }
}

fn single(name: &str, place: &str, complaints: &mut Complaints) -> Option<Source> {
    let shown = name.escape_debug();
    let lower = name.to_ascii_lowercase();
    if !is_token(name) {
        complaints.add_with_hint(
            place,
            format_args!("`{shown}` is not a header name"),
            "write the name alone and without blanks, such as header:X-Real-IP",
        );
    } else if let "x-forwarded-for" | "forwarded" = lower.as_str() {
        complaints.add_with_hint(
            place,
            format_args!("`{shown}` is a list, not a header with one value"),
            format_args!("write \"{lower}\", which reads the list from the trusted end"),
        );
    } else if NOT_AN_ADDRESS.contains(&lower.as_str()) {
        complaints.add_with_hint(
            place,
            format_args!("`{shown}` is not a header in which a proxy writes the client's address"),
            "name the header that your proxy sets, such as header:X-Real-IP",
        );
    } else {
        return Some(Source::Single(lower.into()));
    }
    None
}

/// A token of RFC 9110, section 5.6.2: what a field name is made of.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_token_byte)
}

/// `tchar` of RFC 9110, section 5.6.2.
pub(super) const fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`'
        | b'|' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
}

/// What was probably meant.
fn suggest(text: &str) -> String {
    let plain = text.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    let also = ALSO_CALLED.iter().find(|(other, _)| *other == plain);
    let close = || KNOWN.iter().find(|known| distance(known, &plain) <= 2);
    if let Some(known) = also.map(|(_, known)| known).or_else(close) {
        return format!("did you mean \"{known}\"?");
    }
    if plain.starts_with("header:") {
        return format!("did you mean \"{plain}\"?");
    }
    if is_token(text) && text.contains('-') {
        return format!("did you mean \"header:{text}\"?");
    }
    ALL.to_owned()
}

/// The number of letters to insert, delete or change to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to = to.as_bytes();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let change = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}
