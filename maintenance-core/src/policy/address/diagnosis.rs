//! What is wrong with an entry that could not be read, in words, and the cure.

use std::net::{IpAddr, Ipv4Addr};

use super::entry;

/// The problem and the cure.
pub(super) struct Diagnosis {
    pub(super) problem: String,
    pub(super) hint: String,
}

const ONE_PER_ENTRY: &str = "write one address (192.0.2.7) or network (192.0.2.0/24) an entry";

/// Names the first known mistake in an entry that [`entry::read`] refused as syntax.
pub(super) fn diagnose(text: &str) -> Diagnosis {
    if text.is_empty() {
        return Diagnosis {
            problem: "the entry is empty".to_owned(),
            hint: "write an address (192.0.2.7) or a network (192.0.2.0/24), or remove the entry"
                .to_owned(),
        };
    }
    let (fault, hint) = white_space(text)
        .or_else(|| list_or_range(text))
        .or_else(|| pattern(text))
        .or_else(|| decoration(text))
        .or_else(|| prefix(text))
        .or_else(|| number_form(text))
        .unwrap_or_else(|| name_or_nonsense(text));
    Diagnosis {
        problem: format!("`{}` {fault}", text.escape_debug()),
        hint,
    }
}

type Fault = (&'static str, String);

/// Tells to write the candidate if it can be read, otherwise `or_else`.
fn write_instead(candidate: &str, or_else: &str) -> String {
    if entry::read(candidate).is_ok() {
        format!("write `{candidate}`")
    } else {
        or_else.to_owned()
    }
}

fn white_space(text: &str) -> Option<Fault> {
    text.contains(char::is_whitespace).then(|| {
        let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let inner = text.trim().contains(char::is_whitespace);
        let hint = if inner && text.matches('/').count() != 1 {
            ONE_PER_ENTRY.to_owned()
        } else {
            write_instead(&bare, ONE_PER_ENTRY)
        };
        ("contains white space", hint)
    })
}

fn list_or_range(text: &str) -> Option<Fault> {
    if text.contains([',', ';']) {
        return Some(("is a list", ONE_PER_ENTRY.to_owned()));
    }
    let (first, last) = text.split_once('-')?;
    let ends = first.parse::<IpAddr>().is_ok() && !last.is_empty();
    ends.then(|| {
        let hint = "write the networks that make up the range, such as `192.0.2.0/25`";
        ("is a range", hint.to_owned())
    })
}

fn pattern(text: &str) -> Option<Fault> {
    text.contains(['*', '?']).then(|| {
        let parts: Vec<&str> = text.split('.').collect();
        let fixed = parts.iter().take_while(|part| **part != "*").count();
        let mut network: Vec<&str> = parts.iter().copied().take(fixed).collect();
        network.resize(4, "0");
        let network = format!("{}/{}", network.join("."), fixed * 8);
        let hint = if parts.len() <= 4 && fixed > 0 && parts[fixed..].iter().all(|p| *p == "*") {
            write_instead(&network, "write a network, such as `192.0.2.0/24`")
        } else {
            "write a network, such as `192.0.2.0/24`".to_owned()
        };
        ("is a pattern; patterns are not read", hint)
    })
}

/// Brackets, a zone or a port around an address.
fn decoration(text: &str) -> Option<Fault> {
    if let Some((address, _)) = text.split_once('%') {
        let hint = write_instead(address, "write the address without its zone");
        return Some(("has a zone id", hint));
    }
    if text.contains(['[', ']']) {
        let inner = text.trim_start_matches('[');
        let inner = inner.split(']').next().unwrap_or(inner);
        let hint = write_instead(inner, "write the address without brackets and port");
        return Some(("has brackets", hint));
    }
    let (address, port) = text.split_once(':')?;
    let with_port = address.parse::<Ipv4Addr>().is_ok() && !port.contains(':');
    with_port.then(|| ("has a port", write_instead(address, "leave the port out")))
}

fn prefix(text: &str) -> Option<Fault> {
    let (address, prefix) = text.split_once('/')?;
    let address = address.parse::<IpAddr>().ok()?;
    if let Ok(mask) = prefix.parse::<Ipv4Addr>() {
        let hint = match ipnet::ipv4_mask_to_prefix(mask) {
            Ok(bits) => format!("write `{address}/{bits}`"),
            Err(_) => "write a prefix length".to_owned(),
        };
        return Some(("has a netmask", hint));
    }
    let most = if address.is_ipv4() { 32 } else { 128 };
    let hint = format!("the prefix length is a number from 0 to {most} without leading zeros");
    Some(("has a bad prefix length", hint))
}

/// IPv4 in a form that other programs read in other ways: octal, hexadecimal, short, one integer.
fn number_form(text: &str) -> Option<Fault> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, format!("/{prefix}")),
        None => (text, String::new()),
    };
    let parts: Vec<&str> = address.split('.').collect();
    let hexadecimal = |part: &str| part.starts_with("0x") || part.starts_with("0X");
    let decimal = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let all_four = "write four decimal numbers from 0 to 255, such as `192.0.2.7`";
    if parts.iter().any(|part| hexadecimal(part)) {
        return Some(("has hexadecimal numbers", all_four.to_owned()));
    }
    if !parts.iter().all(|part| decimal(part)) {
        return None;
    }
    if parts.len() < 4 {
        return Some(("is a short form", all_four.to_owned()));
    }
    if parts
        .iter()
        .any(|part| part.len() > 1 && part.starts_with('0'))
    {
        let plain: Vec<&str> = parts
            .iter()
            .map(|part| match part.trim_start_matches('0') {
                "" => "0",
                digits => digits,
            })
            .collect();
        let hint = write_instead(&format!("{}{prefix}", plain.join(".")), all_four);
        let fault = "has leading zeros, which some programs read as octal";
        return Some((fault, hint));
    }
    Some(("is not an IPv4 address", all_four.to_owned()))
}

fn name_or_nonsense(text: &str) -> Fault {
    let name_like = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let host = text.split('/').next().unwrap_or(text);
    if host.contains(char::is_alphabetic) && host.chars().all(name_like) {
        return (
            "is a name; names are not looked up",
            "write the addresses that the name stands for".to_owned(),
        );
    }
    ("is not an address or a network", ONE_PER_ENTRY.to_owned())
}
