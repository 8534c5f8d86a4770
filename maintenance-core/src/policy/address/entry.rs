//! Reading one configured address or network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A network with no host bits set; never an IPv4-mapped one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    V4(Ipv4Net),
    V6(Ipv6Net),
}

/// How the entry was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As an address without a prefix length.
    Address,
    /// As an address and a prefix length.
    Network,
    /// As an IPv4-mapped IPv6 address or network.
    Mapped,
}

/// Why an entry is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is not an address or a network in a form that is read.
    Syntax,
    /// The network has host bits set.
    HostBits(IpAddr, u8),
}

/// Reads `192.0.2.7`, `192.0.2.0/24`, `2001:db8::1`, `2001:db8::/32`.
///
/// An IPv4-mapped address, and a mapped network of 96 bits or more, becomes IPv4; a shorter prefix of a
/// mapped address always has host bits set.
pub(super) fn read(text: &str) -> Result<(Network, Form), Refused> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(read_prefix(prefix).ok_or(Refused::Syntax)?)),
        None => (text, None),
    };
    let form = if prefix.is_some() {
        Form::Network
    } else {
        Form::Address
    };
    match address.parse().map_err(|_| Refused::Syntax)? {
        IpAddr::V4(address) => Ok((v4(address, prefix.unwrap_or(32))?, form)),
        IpAddr::V6(address) => v6(address, prefix.unwrap_or(128), form),
    }
}

fn v4(address: Ipv4Addr, prefix: u8) -> Result<Network, Refused> {
    let net = Ipv4Net::new(address, prefix).map_err(|_| Refused::Syntax)?;
    if net.network() == address {
        Ok(Network::V4(net))
    } else {
        Err(Refused::HostBits(IpAddr::V4(address), prefix))
    }
}

fn v6(address: Ipv6Addr, prefix: u8, form: Form) -> Result<(Network, Form), Refused> {
    let net = Ipv6Net::new(address, prefix).map_err(|_| Refused::Syntax)?;
    if let (Some(mapped), Some(prefix)) = (address.to_ipv4_mapped(), prefix.checked_sub(96)) {
        return Ok((v4(mapped, prefix)?, Form::Mapped));
    }
    if net.network() == address {
        Ok((Network::V6(net), form))
    } else {
        Err(Refused::HostBits(IpAddr::V6(address), prefix))
    }
}

/// A prefix length: decimal, without sign, leading zero or blank.
pub(super) fn read_prefix(text: &str) -> Option<u8> {
    let digits = text.as_bytes();
    let leading_zero = digits.len() > 1 && digits[0] == b'0';
    if leading_zero || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.parse().ok()
}

/// Both networks that an entry with host bits may mean: the whole one, and the one address.
pub(super) fn both_meanings(address: IpAddr, prefix: u8) -> String {
    let whole = IpNet::new(address, prefix).map_or(address.into(), |net| net.trunc());
    format!("{whole} or {}", IpNet::from(address.to_canonical()))
}
