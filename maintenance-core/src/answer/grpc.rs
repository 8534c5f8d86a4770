//! The answer to gRPC and gRPC-Web calls.
//!
//! HTTP 200 and no body; the status stands in the header fields ("Trailers-Only" in the gRPC protocol
//! over HTTP/2, `doc/PROTOCOL-HTTP2.md` of github.com/grpc/grpc; gRPC-Web allows the same, `PROTOCOL-WEB.md`).
//! A plain 503 is not an option: the mapping of HTTP statuses in `doc/http-grpc-status-mapping.md` is for
//! what proxies send, and "servers must not use this mechanism".

use super::base64;
use crate::request::{Facts, Single};

/// `UNAVAILABLE`: the call may be made again later.
pub(super) const UNAVAILABLE: &str = "14";

/// The longest message, in bytes before encoding; clients limit all fields together to 8 KiB.
const MAX_MESSAGE: usize = 512;

/// Which protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Grpc,
    Web,
    WebText,
}

impl Protocol {
    pub(super) const ALL: [Self; 3] = [Self::Grpc, Self::Web, Self::WebText];

    /// By the request's content type; every call is a POST.
    pub(super) fn of(facts: &Facts<'_>) -> Option<Self> {
        if facts.method != "POST" {
            return None;
        }
        let Single::One(value) = facts.headers.single("content-type") else {
            return None;
        };
        const START: &[u8] = b"application/grpc";
        let (start, rest) = value.split_at_checked(START.len())?;
        if !start.eq_ignore_ascii_case(START) {
            return None;
        }
        let end = rest
            .iter()
            .position(|b| matches!(b, b'+' | b';' | b' '))
            .unwrap_or(rest.len());
        let kind = &rest[..end];
        if kind.is_empty() {
            Some(Self::Grpc)
        } else if kind.eq_ignore_ascii_case(b"-web") {
            Some(Self::Web)
        } else if kind.eq_ignore_ascii_case(b"-web-text") {
            Some(Self::WebText)
        } else {
            None
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Grpc => "application/grpc",
            Self::Web => "application/grpc-web",
            Self::WebText => "application/grpc-web-text",
        }
    }
}

/// As much of the message as is sent.
pub(super) fn shortened(message: &str) -> &str {
    let mut end = message.len().min(MAX_MESSAGE);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

/// `grpc-message`: every byte but printable ASCII without `%` is written as `%XX`.
pub(super) fn percent_encoded(message: &str) -> String {
    let mut encoded = String::with_capacity(message.len());
    for byte in message.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// `grpc-status-details-bin`: a `google.rpc.Status` with a `google.rpc.RetryInfo`, from which client
/// libraries learn how long to wait. It repeats the message, because some clients read only this.
pub(super) fn details(message: &str, retry_seconds: u32) -> String {
    let retry_info = field(1, &number(1, retry_seconds.into()));
    let mut any = field(1, b"type.googleapis.com/google.rpc.RetryInfo");
    any.extend(field(2, &retry_info));
    let mut status = number(1, 14);
    status.extend(field(2, message.as_bytes()));
    status.extend(field(3, &any));
    base64::unpadded(&status)
}

/// A length-delimited field of a protocol buffer.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![tag << 3 | 2];
    varint(&mut out, bytes.len() as u64);
    out.extend_from_slice(bytes);
    out
}

/// A varint field of a protocol buffer.
fn number(tag: u8, value: u64) -> Vec<u8> {
    let mut out = vec![tag << 3];
    varint(&mut out, value);
    out
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognised_by_content_type() {
        let of = |method, value: &str| {
            let headers = vec![("content-type", value)];
            Protocol::of(&Facts::new(method, "/pkg.Service/Call").headers(&headers))
        };
        for (value, expected) in [
            ("application/grpc", Some(Protocol::Grpc)),
            ("application/grpc+proto", Some(Protocol::Grpc)),
            ("Application/gRPC;charset=x", Some(Protocol::Grpc)),
            ("application/grpc-web", Some(Protocol::Web)),
            ("application/grpc-web+proto", Some(Protocol::Web)),
            ("application/grpc-web-text+proto", Some(Protocol::WebText)),
            ("application/grpcish", None),
            ("application/grpc-webby", None),
            ("application/json", None),
            ("", None),
        ] {
            assert_eq!(of("POST", value), expected, "{value}");
        }
        assert_eq!(of("GET", "application/grpc"), None);
    }

    #[test]
    fn messages_are_encoded_and_bounded() {
        assert_eq!(
            percent_encoded("50 % off\r\nx: ü"),
            "50 %25 off%0D%0Ax: %C3%BC"
        );
        assert_eq!(shortened(&"ü".repeat(1000)), "ü".repeat(256));
        let odd = format!("x{}", "ü".repeat(1000));
        assert_eq!(shortened(&odd).len(), 511);
    }

    #[test]
    fn details_are_a_status_with_retry_info() {
        // Status { code: 14, message: "x", details: [Any { RetryInfo { retry_delay: 300 s } }] }
        let mut expected = vec![0x08, 14, 0x12, 1, b'x', 0x1a, 49, 0x0a, 40];
        expected.extend(b"type.googleapis.com/google.rpc.RetryInfo");
        expected.extend([0x12, 5, 0x0a, 3, 0x08, 0xac, 0x02]);
        assert_eq!(details("x", 300), base64::unpadded(&expected));
    }
}
