//! A set of addresses and networks.

mod diagnosis;
mod entry;
mod ranges;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv4Net;

use super::Complaints;
use entry::{Form, Network, Refused};
use ranges::Ranges;

/// Addresses and networks, as a list in the configuration names them.
///
/// IPv4-mapped IPv6 addresses are the IPv4 addresses that they carry, in the list and in a question.
/// Asking allocates nothing and costs a search among a few neighbours, also in a set of 100 000 networks.
///
/// ```
/// use maintenance_mode::policy::{AddressSet, Complaints};
///
/// let mut complaints = Complaints::new();
/// let list = ["198.51.100.0/24".to_owned(), "2001:db8::1".to_owned()];
/// let set = AddressSet::compile(&list, "allow.addresses", &mut complaints);
/// complaints.none_or(())?;
///
/// assert!(set.contains("198.51.100.7".parse()?));
/// assert!(set.contains("::ffff:198.51.100.7".parse()?));
/// assert!(!set.contains("198.51.101.7".parse()?));
/// assert_eq!(set.find("198.51.100.7".parse()?).as_deref(), Some("198.51.100.0/24"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AddressSet {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    written: Written,
}

impl AddressSet {
    /// Compiles addresses and networks in CIDR notation.
    ///
    /// Complains, at `place[i]`, about each entry that is not exactly one of these: host bits set,
    /// patterns, names, leading zeros, zones, ports, white space. The set holds the entries without a
    /// complaint.
    #[must_use]
    pub fn compile(entries: &[String], place: &str, complaints: &mut Complaints) -> Self {
        let mut written = Written::default();
        let mut v4 = Vec::new();
        let mut v6 = Vec::new();
        for (index, text) in entries.iter().enumerate() {
            let at = format_args!("{place}[{index}]");
            match entry::read(text) {
                Ok((Network::V4(net), form)) => {
                    v4.push((u32::from(net.network()), u32::from(net.broadcast())));
                    written.push_v4(net, form, text);
                }
                Ok((Network::V6(net), _)) => {
                    v6.push((u128::from(net.network()), u128::from(net.broadcast())));
                    written.push_v6(text);
                }
                Err(Refused::HostBits(address, prefix)) => complaints.add_with_hint(
                    at,
                    format_args!("`{text}` has host bits set"),
                    entry::both_meanings(address, prefix),
                ),
                Err(Refused::Syntax) => {
                    let found = diagnosis::diagnose(text);
                    complaints.add_with_hint(at, found.problem, found.hint);
                }
            }
        }
        written.shrink_to_fit();
        Self {
            v4: Ranges::merged(v4),
            v6: Ranges::merged(v6),
            written,
        }
    }

    /// Whether an entry contains the address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.contains(u32::from(address)),
            IpAddr::V6(address) => self.v6.contains(u128::from(address)),
        }
    }

    /// The first entry, as configured, that contains the address.
    ///
    /// For explaining: it looks at the entries one by one.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<Cow<'_, str>> {
        if !self.contains(address) {
            return None;
        }
        match address.to_canonical() {
            IpAddr::V4(address) => self.written.find_v4(address),
            IpAddr::V6(address) => self.written.find_v6(address).map(Cow::Borrowed),
        }
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.written.v4.is_empty() && self.written.v6.is_empty()
    }

    /// The number of entries, as configured.
    #[must_use]
    pub fn len(&self) -> usize {
        self.written.v4.len() + self.written.v6.lines().count()
    }

    /// Whether the entries together contain every IPv4 address.
    #[must_use]
    pub fn covers_every_v4(&self) -> bool {
        self.v4.iter().eq([(0, u32::MAX)])
    }

    /// Whether the entries together contain every IPv6 address that is not an IPv4-mapped one.
    #[must_use]
    pub fn covers_every_v6(&self) -> bool {
        let mapped = u128::from(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0));
        let around = [(0, mapped - 1), (mapped + (1 << 32), u128::MAX)];
        self.v6.iter().eq([(0, u128::MAX)]) || self.v6.iter().eq(around)
    }
}

impl fmt::Debug for AddressSet {
    /// The number of entries; there may be a hundred thousand.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AddressSet({} entries)", self.len())
    }
}

/// The entries in their order.
#[derive(Clone, Default)]
struct Written {
    /// IPv4 as values, 6 bytes each: the parser admits one spelling of each address, so the text can be
    /// made again.
    v4: Vec<(Ipv4Net, Form)>,
    /// The texts of the mapped ones among `v4`, by their place there.
    mapped: BTreeMap<usize, Box<str>>,
    /// IPv6 as it was written, since there are many spellings; one entry a line.
    v6: String,
}

impl Written {
    fn push_v4(&mut self, net: Ipv4Net, form: Form, text: &str) {
        if form == Form::Mapped {
            self.mapped.insert(self.v4.len(), text.into());
        }
        self.v4.push((net, form));
    }

    fn push_v6(&mut self, text: &str) {
        self.v6.push_str(text);
        self.v6.push('\n');
    }

    fn shrink_to_fit(&mut self) {
        self.v4.shrink_to_fit();
        self.v6.shrink_to_fit();
    }

    fn find_v4(&self, address: Ipv4Addr) -> Option<Cow<'_, str>> {
        let place = self.v4.iter().position(|(net, _)| net.contains(&address))?;
        let (net, form) = self.v4[place];
        Some(match (form, self.mapped.get(&place)) {
            (Form::Mapped, Some(text)) => Cow::Borrowed(text),
            (Form::Address, _) => Cow::Owned(net.addr().to_string()),
            (Form::Network | Form::Mapped, _) => Cow::Owned(net.to_string()),
        })
    }

    fn find_v6(&self, address: Ipv6Addr) -> Option<&str> {
        self.v6.lines().find(|text| match entry::read(text) {
            Ok((Network::V6(net), _)) => net.contains(&address),
            Ok((Network::V4(_), _)) | Err(_) => false,
        })
    }
}

#[cfg(test)]
mod tests;
