//! One address, in the forms in which proxies write it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::answer::Unresolved;

/// What one element of a list says.
pub(super) type Element = Result<IpAddr, Unresolved>;

/// An element of `X-Forwarded-For`, or the value of a single-value header, without blanks around it:
/// `192.0.2.7`, `192.0.2.7:443`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:443`.
pub(super) fn plain(raw: &[u8]) -> Element {
    let text = text(raw)?;
    // More than one colon and no bracket can only be IPv6, which has no room for a port.
    if !text.starts_with('[') && text.bytes().filter(|byte| *byte == b':').count() > 1 {
        return v6(text);
    }
    node(text, is_port)
}

/// A node of RFC 7239, section 6, out of its quotes: IPv6 only in brackets, obfuscated ports allowed.
pub(super) fn forwarded_node(raw: &[u8]) -> Element {
    node(text(raw)?, |port| is_port(port) || is_obfuscated(port))
}

fn text(raw: &[u8]) -> Result<&str, Unresolved> {
    str::from_utf8(raw).map_err(|_| Unresolved::NotAnAddress)
}

fn node(text: &str, port_is_good: impl Fn(&str) -> bool) -> Element {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']').ok_or(Unresolved::NotAnAddress)?;
            let port = match rest.strip_prefix(':') {
                Some(port) => Some(port),
                None if rest.is_empty() => None,
                None => return Err(Unresolved::NotAnAddress),
            };
            (v6(address), port)
        }
        None => match text.split_once(':') {
            Some((name, port)) => (named_or_v4(name), Some(port)),
            None => (named_or_v4(text), None),
        },
    };
    match port {
        Some(port) if !port_is_good(port) => Err(Unresolved::NotAnAddress),
        _ => name,
    }
}

fn named_or_v4(name: &str) -> Element {
    if name.eq_ignore_ascii_case("unknown") {
        return Err(Unresolved::Unknown);
    }
    if is_obfuscated(name) {
        return Err(Unresolved::Obfuscated);
    }
    // The standard parser refuses leading zeros, and short, hexadecimal and integer forms.
    match name.parse::<Ipv4Addr>() {
        Ok(address) => Ok(IpAddr::V4(address)),
        Err(_) => Err(Unresolved::NotAnAddress),
    }
}

fn v6(text: &str) -> Element {
    match text.parse::<Ipv6Addr>() {
        Ok(address) => Ok(IpAddr::V6(address).to_canonical()),
        Err(_) => Err(Unresolved::NotAnAddress),
    }
}

/// `port` of RFC 7239, section 6: one to five digits, and a number that a port can have.
fn is_port(text: &str) -> bool {
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits && text.parse::<u16>().is_ok()
}

/// `obfnode` and `obfport` of RFC 7239, section 6.3.
fn is_obfuscated(text: &str) -> bool {
    text.strip_prefix('_').is_some_and(|rest| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        !rest.is_empty() && rest.bytes().all(allowed)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Element, Unresolved, forwarded_node, plain};

    fn known(text: &str) -> Element {
        Ok(text.parse().unwrap())
    }

    #[test]
    fn plain_forms() {
        for (raw, address) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:1", "192.0.2.7"),
            ("192.0.2.7:0", "192.0.2.7"),
            ("192.0.2.7:00080", "192.0.2.7"),
            ("192.0.2.7:65535", "192.0.2.7"),
            ("0.0.0.0", "0.0.0.0"),
            ("2001:db8::7", "2001:db8::7"),
            ("2001:DB8:0:0::0007", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:443", "2001:db8::7"),
            ("::", "::"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::ffff:c000:207", "192.0.2.7"),
            ("0:0:0:0:0:FFFF:192.0.2.7", "192.0.2.7"),
            ("[::ffff:192.0.2.7]:80", "192.0.2.7"),
            ("::192.0.2.7", "::c000:207"),
            ("64:ff9b::192.0.2.7", "64:ff9b::c000:207"),
            ("::ffff:0:192.0.2.7", "::ffff:0:c000:207"),
            ("2001:db8::7:443", "2001:db8::7:443"),
        ] {
            assert_eq!(plain(raw.as_bytes()), known(address), "{raw}");
        }
    }

    #[test]
    fn what_is_not_an_address() {
        for raw in [
            "",
            " ",
            ".",
            ":",
            "::1 ",
            " ::1",
            "192.0.2.7 ",
            "192.0.2.7\u{a0}",
            "192.0.2.7\n",
            "192.0.2.7:",
            "192.0.2.7:x",
            "192.0.2.7:65536",
            "192.0.2.7:000080",
            "192.0.2.7:+80",
            "192.0.2.7:-1",
            "192.0.2.7:_port",
            "192.0.2.7:80:90",
            ":80",
            "[",
            "]",
            "[]",
            "[]:80",
            "[192.0.2.7]",
            "[192.0.2.7]:80",
            "[2001:db8::7",
            "2001:db8::7]",
            "[2001:db8::7]80",
            "[2001:db8::7]:",
            "[2001:db8::7]:65536",
            "[2001:db8::7]]",
            "[[2001:db8::7]]",
            "[2001:db8::7]:80 ",
            "[ 2001:db8::7]",
            "fe80::1%eth0",
            "[fe80::1%eth0]",
            "fe80::1%1",
            "192.0.2.7%eth0",
            "198.051.100.007",
            "::ffff:198.051.100.007",
            "0xc0.0.2.7",
            "0xc0000207",
            "3221225991",
            "192.0.519",
            "192.2",
            "192.0.2.7.",
            ".192.0.2.7",
            "192.0.2.256",
            "192.0.2.-7",
            "192.0.2.7/32",
            "2001:db8::7/128",
            "\"192.0.2.7\"",
            "'192.0.2.7'",
            "for=192.0.2.7",
            "localhost",
            "host.example",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1::2::3",
            "12345::",
            "g::",
            "::ffff:192.0.2",
            "192.0.2.7;",
            "2001:db8:0:0:0:0:0:7:443",
            "unknown.",
            "-",
            "null",
            "_",
            "_a b",
            "١٩٢.0.2.7",
            "１９２.0.2.7",
        ] {
            assert_eq!(
                plain(raw.as_bytes()),
                Err(Unresolved::NotAnAddress),
                "{raw:?}"
            );
            assert!(
                forwarded_node(raw.as_bytes()).is_err() || raw.contains(":_port"),
                "{raw:?}"
            );
        }
        assert_eq!(plain(b"192.0.2.7\xff"), Err(Unresolved::NotAnAddress));
        assert_eq!(plain(b"192.0.2.7\0"), Err(Unresolved::NotAnAddress));
    }

    #[test]
    fn proxies_that_will_not_say() {
        for raw in ["unknown", "UnKnown", "unknown:80"] {
            assert_eq!(plain(raw.as_bytes()), Err(Unresolved::Unknown), "{raw}");
            assert_eq!(forwarded_node(raw.as_bytes()), Err(Unresolved::Unknown));
        }
        for raw in ["_hidden", "_SEVKISEK", "_a.b-c_d", "_hidden:80"] {
            assert_eq!(plain(raw.as_bytes()), Err(Unresolved::Obfuscated), "{raw}");
            assert_eq!(forwarded_node(raw.as_bytes()), Err(Unresolved::Obfuscated));
        }
    }

    #[test]
    fn forwarded_nodes_want_brackets_and_take_obfuscated_ports() {
        for (raw, address) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:47011", "192.0.2.7"),
            ("192.0.2.7:_port", "192.0.2.7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:_p.0-1_", "2001:db8::7"),
            ("[::ffff:192.0.2.7]", "192.0.2.7"),
        ] {
            assert_eq!(forwarded_node(raw.as_bytes()), known(address), "{raw}");
        }
        for raw in [
            "2001:db8::7",
            "::1",
            "192.0.2.7:_",
            "192.0.2.7:_a b",
            "192.0.2.7:port",
        ] {
            assert_eq!(
                forwarded_node(raw.as_bytes()),
                Err(Unresolved::NotAnAddress),
                "{raw}"
            );
        }
    }
}
