//! A set of addresses and networks.

mod diagnosis;
mod entry;
mod ranges;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::Complaints;
use entry::{Form, Network, Refused};
use ranges::{Ranges, RangesV4};

/// Addresses and networks, as a list in the configuration names them.
///
/// IPv4-mapped IPv6 addresses are the IPv4 addresses that they carry, in the list and in a question.
/// Asking allocates nothing: IPv4 costs one look into an index and a short search (a few nanoseconds at
/// 100 000 networks), IPv6 a binary search.
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
    v4: RangesV4,
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
        for (index, text) in entries.iter().enumerate() {
            let at = format_args!("{place}[{index}]");
            match entry::read(text) {
                Ok((network, form)) => written.push(network, form, text),
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
        let v4 = written
            .v4
            .iter()
            .map(|(net, _)| (u32::from(net.network()), u32::from(net.broadcast())));
        let v6 = written
            .v6
            .iter()
            .map(|(net, _)| (u128::from(net.network()), u128::from(net.broadcast())));
        Self {
            v4: RangesV4::merged(v4.collect()),
            v6: Ranges::merged(v6.collect()),
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
        self.written.find(address.to_canonical())
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of entries, as configured.
    #[must_use]
    pub fn len(&self) -> usize {
        self.written.v4.len() + self.written.v6.len()
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

/// The entries in their order, as values and not as text: 6 and 18 bytes each.
#[derive(Clone, Default)]
struct Written {
    v4: Vec<(Ipv4Net, Form)>,
    v6: Vec<(Ipv6Net, Form)>,
    /// The texts that cannot be made again from the value, by place in `v4` or `v6`.
    v4_verbatim: BTreeMap<usize, Box<str>>,
    v6_verbatim: BTreeMap<usize, Box<str>>,
}

impl Written {
    fn push(&mut self, network: Network, form: Form, text: &str) {
        let (verbatim, place) = match network {
            Network::V4(net) => {
                self.v4.push((net, form));
                (&mut self.v4_verbatim, self.v4.len() - 1)
            }
            Network::V6(net) => {
                self.v6.push((net, form));
                (&mut self.v6_verbatim, self.v6.len() - 1)
            }
        };
        if form == Form::Verbatim {
            verbatim.insert(place, text.into());
        }
    }

    fn shrink_to_fit(&mut self) {
        self.v4.shrink_to_fit();
        self.v6.shrink_to_fit();
    }

    fn find(&self, address: IpAddr) -> Option<Cow<'_, str>> {
        match address {
            IpAddr::V4(address) => {
                let place = self.v4.iter().position(|(net, _)| net.contains(&address))?;
                let (net, form) = self.v4[place];
                Some(text(
                    form,
                    net.addr(),
                    net,
                    self.v4_verbatim.get(&place).map(AsRef::as_ref),
                ))
            }
            IpAddr::V6(address) => {
                let place = self.v6.iter().position(|(net, _)| net.contains(&address))?;
                let (net, form) = self.v6[place];
                Some(text(
                    form,
                    net.addr(),
                    net,
                    self.v6_verbatim.get(&place).map(AsRef::as_ref),
                ))
            }
        }
    }
}

fn text(
    form: Form,
    address: impl fmt::Display,
    network: impl fmt::Display,
    verbatim: Option<&str>,
) -> Cow<'_, str> {
    match (form, verbatim) {
        (Form::Verbatim, Some(text)) => Cow::Borrowed(text),
        (Form::Address, _) => Cow::Owned(address.to_string()),
        (Form::Network | Form::Verbatim, _) => Cow::Owned(network.to_string()),
    }
}

#[cfg(test)]
mod tests;
