#![allow(clippy::unwrap_used)]

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use proptest::prelude::*;

use super::AddressSet;
use crate::policy::Complaints;

fn owned(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|&entry| entry.to_owned()).collect()
}

fn set(entries: &[&str]) -> AddressSet {
    let mut complaints = Complaints::new();
    let set = AddressSet::compile(&owned(entries), "allow", &mut complaints);
    assert!(complaints.is_empty(), "{complaints}");
    set
}

/// The problem and the cure of the only complaint.
fn refusal(entry: &str) -> (String, String) {
    let mut complaints = Complaints::new();
    let set = AddressSet::compile(&owned(&["::1", entry]), "allow", &mut complaints);
    let list: Vec<_> = complaints.iter().collect();
    assert_eq!(list.len(), 1, "{entry:?}: {complaints}");
    assert_eq!(list[0].place(), "allow[1]");
    assert_eq!(set.len(), 1, "{entry:?} must not be in the set");
    (
        list[0].problem().to_owned(),
        list[0].hint().unwrap().to_owned(),
    )
}

#[test]
fn each_mistake_is_refused_with_its_cure() {
    for (entry, problem, hint) in [
        ("", "the entry is empty", "remove the entry"),
        (" 192.0.2.7", "white space", "write `192.0.2.7`"),
        ("192.0.2.7\n", "white space", "write `192.0.2.7`"),
        ("192.0.2.0 /24", "white space", "write `192.0.2.0/24`"),
        ("192.0.2.7 192.0.2.8", "white space", "one address"),
        ("192.0.2.7,192.0.2.8", "is a list", "one address"),
        (
            "192.0.2.1-192.0.2.9",
            "is a range",
            "networks that make up the range",
        ),
        (
            "192.0.2.1-9",
            "is a range",
            "networks that make up the range",
        ),
        ("198.51.100.*", "is a pattern", "write `198.51.100.0/24`"),
        ("198.51.*.*", "is a pattern", "write `198.51.0.0/16`"),
        ("10.*", "is a pattern", "write `10.0.0.0/8`"),
        ("198.51.*.7", "is a pattern", "write a network"),
        ("*", "is a pattern", "write a network"),
        ("2001:db8:*", "is a pattern", "write a network"),
        ("fe80::1%eth0", "has a zone id", "write `fe80::1`"),
        ("fe80::%1/64", "has a zone id", "write `fe80::`"),
        ("[2001:db8::1]", "has brackets", "write `2001:db8::1`"),
        ("[2001:db8::1]:443", "has brackets", "write `2001:db8::1`"),
        ("192.0.2.7:443", "has a port", "write `192.0.2.7`"),
        (
            "192.0.2.0/255.255.255.0",
            "has a netmask",
            "write `192.0.2.0/24`",
        ),
        (
            "192.0.2.0/255.0.255.0",
            "has a netmask",
            "write a prefix length",
        ),
        ("192.0.2.0/33", "bad prefix length", "from 0 to 32"),
        (
            "192.0.2.0/024",
            "bad prefix length",
            "without leading zeros",
        ),
        ("192.0.2.0/+24", "bad prefix length", "from 0 to 32"),
        ("192.0.2.0/", "bad prefix length", "from 0 to 32"),
        ("192.0.2.0/24/24", "bad prefix length", "from 0 to 32"),
        ("2001:db8::/129", "bad prefix length", "from 0 to 128"),
        ("2001:db8::/300", "bad prefix length", "from 0 to 128"),
        ("198.051.100.007", "leading zeros", "write `198.51.100.7`"),
        ("010.0.0.0/8", "leading zeros", "write `10.0.0.0/8`"),
        ("0xc6.0x33.0x64.0x07", "hexadecimal", "four decimal numbers"),
        ("3325256711", "short form", "four decimal numbers"),
        ("10/8", "short form", "four decimal numbers"),
        ("10.1", "short form", "four decimal numbers"),
        ("198.51.100.256", "not an IPv4 address", "from 0 to 255"),
        ("1.2.3.4.5", "not an IPv4 address", "four decimal numbers"),
        (
            "localhost",
            "is a name",
            "the addresses that the name stands for",
        ),
        (
            "proxy.example.com",
            "is a name",
            "the addresses that the name stands for",
        ),
        ("2001:db8::1::2", "not an address", "one address"),
        ("12345::", "not an address", "one address"),
        ("/24", "not an address", "one address"),
        ("١٩٢.0.2.7", "is", "addres"),
    ] {
        let (found, cure) = refusal(entry);
        assert!(found.contains(problem), "{entry:?}: {found}");
        assert!(cure.contains(hint), "{entry:?}: {cure}");
    }
}

#[test]
fn host_bits_are_refused_with_both_meanings() {
    for (entry, hint) in [
        ("198.51.100.7/24", "198.51.100.0/24 or 198.51.100.7/32"),
        ("10.0.0.1/0", "0.0.0.0/0 or 10.0.0.1/32"),
        ("2001:db8::1/64", "2001:db8::/64 or 2001:db8::1/128"),
        (
            "::ffff:198.51.100.7/120",
            "198.51.100.0/24 or 198.51.100.7/32",
        ),
        ("::ffff:198.51.100.7/64", "::/64 or 198.51.100.7/32"),
        ("::ffff:0:0/95", "::fffe:0:0/95 or 0.0.0.0/32"),
    ] {
        let (problem, cure) = refusal(entry);
        assert_eq!(problem, format!("`{entry}` has host bits set"));
        assert_eq!(cure, hint);
    }
}

#[test]
fn every_bad_entry_complains_at_its_own_place() {
    let mut complaints = Complaints::new();
    let list = owned(&["a.example", "192.0.2.1", "192.0.2.1/8"]);
    let set = AddressSet::compile(&list, "sites.shop.allow.addresses", &mut complaints);
    let places: Vec<_> = complaints
        .iter()
        .map(|one| one.place().to_owned())
        .collect();
    assert_eq!(
        places,
        [
            "sites.shop.allow.addresses[0]",
            "sites.shop.allow.addresses[2]"
        ]
    );
    assert_eq!(set.len(), 1);
}

#[test]
fn mapped_entries_are_ipv4_and_keep_their_text() {
    let set = set(&["::ffff:198.51.100.0/120", "::FFFF:c633:6507", "203.0.113.9"]);
    for inside in ["198.51.100.7", "::ffff:198.51.100.7", "198.51.101.7"] {
        assert!(set.contains(inside.parse().unwrap()), "{inside}");
    }
    assert!(!set.contains("::198.51.100.7".parse().unwrap()));
    let found = |ip: &str| set.find(ip.parse().unwrap()).map(Cow::into_owned);
    assert_eq!(found("198.51.100.7").unwrap(), "::ffff:198.51.100.0/120");
    assert_eq!(found("198.51.101.7").unwrap(), "::FFFF:c633:6507");
    assert_eq!(found("203.0.113.9").unwrap(), "203.0.113.9");
}

#[test]
fn find_gives_the_first_entry_as_written() {
    let list = [
        "10.0.0.0/8",
        "10.0.0.1",
        "192.0.2.1/32",
        "2001:DB8::/32",
        "2001:db8::1",
        "2001:db9:0::1",
        "2001:dba::/128",
        "2001:dbb::",
    ];
    let set = set(&list);
    for (ip, entry) in [
        ("10.0.0.1", Some(list[0])),
        ("192.0.2.1", Some(list[2])),
        ("2001:db8::1", Some(list[3])),
        ("2001:db9::1", Some(list[5])),
        ("2001:dba::", Some(list[6])),
        ("2001:dbb::", Some(list[7])),
        ("192.0.2.2", None),
        ("::1", None),
    ] {
        assert_eq!(set.find(ip.parse().unwrap()).as_deref(), entry, "{ip}");
    }
}

#[test]
fn covering_everything_is_seen_however_it_is_written() {
    for (list, v4, v6) in [
        (&["0.0.0.0/0"][..], true, false),
        (&["::/0"], false, true),
        (&["::ffff:0:0/96"], true, false),
        (&["128.0.0.0/1", "0.0.0.0/1"], true, false),
        (
            &["::ffff:0:0/97", "128.0.0.0/2", "192.0.0.0/2"],
            true,
            false,
        ),
        (&["8000::/1", "::/1"], false, true),
        (&["0.0.0.0/1", "128.0.0.0/2"], false, false),
        (&["::/1", "8000::/2"], false, false),
        (&[], false, false),
    ] {
        let set = set(list);
        assert_eq!(set.covers_every_v4(), v4, "{list:?}");
        assert_eq!(set.covers_every_v6(), v6, "{list:?}");
    }
}

#[test]
fn leaving_out_only_mapped_addresses_still_covers_ipv6() {
    // All of IPv6 but ::ffff:0:0/96: for each bit of the mapped prefix, the sibling network.
    let mapped = u128::from(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0));
    let siblings: Vec<String> = (1..=96_u32)
        .map(|bits| {
            let low = 128 - bits;
            let sibling = ((mapped >> low) ^ 1) << low;
            format!("{}/{bits}", Ipv6Addr::from(sibling))
        })
        .collect();
    let texts: Vec<&str> = siblings.iter().map(String::as_str).collect();
    assert!(set(&texts).covers_every_v6());
    assert!(!set(&texts[1..]).covers_every_v6());
}

#[test]
fn debug_does_not_list_the_entries() {
    let set = set(&["10.0.0.0/8", "::1"]);
    assert_eq!(format!("{set:?}"), "AddressSet(2 entries)");
    assert!(!set.is_empty());
}

fn network() -> impl Strategy<Value = IpNet> {
    // Few distinct upper bits, so that networks overlap, touch and contain the questions.
    let v4 = (0_u32..4, any::<u16>(), 0_u8..=32).prop_map(|(top, low, prefix)| {
        IpNet::new(Ipv4Addr::from(top << 30 | u32::from(low)).into(), prefix).unwrap()
    });
    let v6 = (0_u128..4, any::<u16>(), 0_u8..=128).prop_map(|(top, low, prefix)| {
        IpNet::new(Ipv6Addr::from(top << 126 | u128::from(low)).into(), prefix).unwrap()
    });
    prop_oneof![3 => v4, 2 => v6].prop_map(|net| net.trunc())
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        3 => (0_u32..4, any::<u16>())
            .prop_map(|(top, low)| IpAddr::from(Ipv4Addr::from(top << 30 | u32::from(low)))),
        1 => (0_u32..4, any::<u16>()).prop_map(|(top, low)| {
            IpAddr::from(Ipv4Addr::from(top << 30 | u32::from(low)).to_ipv6_mapped())
        }),
        2 => (0_u128..4, any::<u16>())
            .prop_map(|(top, low)| IpAddr::from(Ipv6Addr::from(top << 126 | u128::from(low)))),
        1 => any::<IpAddr>(),
    ]
}

/// Whether a list of networks contains an address, one by one. A v6 network that spans the mapped
/// block does not contain IPv4.
fn naive(networks: &[IpNet], address: IpAddr) -> bool {
    networks
        .iter()
        .any(|net| net.contains(&address.to_canonical()))
}

fn compiled(networks: &[IpNet]) -> AddressSet {
    let texts: Vec<String> = networks.iter().map(ToString::to_string).collect();
    let mut complaints = Complaints::new();
    let set = AddressSet::compile(&texts, "allow", &mut complaints);
    assert!(complaints.is_empty(), "{complaints}");
    set
}

proptest! {
    #[test]
    fn contains_equals_the_naive_check_and_find_agrees(
        networks in prop::collection::vec(network(), 0..24),
        addresses in prop::collection::vec(address(), 1..24),
    ) {
        let set = compiled(&networks);
        let edges = networks.iter().flat_map(|net| [net.network(), net.broadcast()]);
        for address in addresses.into_iter().chain(edges) {
            let expected = naive(&networks, address);
            prop_assert_eq!(set.contains(address), expected, "{}", address);
            let found = set.find(address);
            prop_assert_eq!(found.is_some(), expected, "{}", address);
            if let Some(entry) = found {
                prop_assert!(entry.parse::<IpNet>().unwrap().contains(&address.to_canonical()));
            }
        }
    }

    #[test]
    fn the_index_changes_nothing(
        seeds in prop::collection::vec((any::<u32>(), 14_u8..=32), 2_600),
        addresses in prop::collection::vec(any::<u32>(), 64),
    ) {
        let networks: Vec<IpNet> = seeds
            .iter()
            .map(|&(bits, prefix)| IpNet::new(Ipv4Addr::from(bits).into(), prefix).unwrap().trunc())
            .collect();
        let set = compiled(&networks);
        let near = seeds.iter().take(64).flat_map(|&(bits, _)| [bits, bits.wrapping_add(1)]);
        for address in addresses.into_iter().chain(near) {
            let address = IpAddr::from(Ipv4Addr::from(address));
            prop_assert_eq!(set.contains(address), naive(&networks, address), "{}", address);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_with_one_complaint_and_a_cure(text in "\\PC{0,40}|[0-9a-f.:/*%\\[\\]x -]{0,24}") {
        let mut complaints = Complaints::new();
        let set = AddressSet::compile(std::slice::from_ref(&text), "allow", &mut complaints);
        let count = complaints.iter().count();
        prop_assert_eq!(set.len() + count, 1);
        prop_assert!(complaints.iter().all(|one| one.hint().is_some()));
    }
}
