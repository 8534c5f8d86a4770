//! Which site a host belongs to.

use std::collections::HashMap;

use super::Complaints;
use super::config::SiteConfig;
use crate::host::{Host, is_name};
use crate::state::SiteName;

/// Index into the policy's sites; 0 is the default site.
pub(crate) type SiteIndex = u16;

/// The default site's index.
pub(crate) const DEFAULT_SITE: SiteIndex = 0;

/// What a host means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostMatch {
    Site(SiteIndex),
    Unknown,
    Malformed,
}

/// Exact hosts, and wildcards that stand for one label.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostIndex {
    exact: HashMap<Box<str>, SiteIndex>,
    wildcard: HashMap<Box<str>, SiteIndex>,
}

impl HostIndex {
    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wildcard.is_empty()
    }

    pub(crate) fn add(
        &mut self,
        name: &SiteName,
        site: &SiteConfig,
        index: SiteIndex,
        complaints: &mut Complaints,
    ) {
        for (number, host) in site.hosts.iter().enumerate() {
            let place = format!("sites.{name}.hosts[{number}]");
            let (pattern, map) = match host.strip_prefix("*.") {
                Some(rest) => (rest, &mut self.wildcard),
                None => (host.as_str(), &mut self.exact),
            };
            let Some(ascii) = a_label(pattern, host, &place, complaints) else {
                continue;
            };
            match map.get(ascii.as_str()) {
                Some(other) if *other == index => {
                    complaints.add(place, format_args!("`{host}` stands here twice"));
                }
                Some(_) => complaints.add_with_hint(
                    place,
                    format_args!("`{host}` belongs to another site already"),
                    "give each host to one site",
                ),
                None => {
                    map.insert(ascii.into(), index);
                }
            }
        }
    }

    pub(crate) fn find(&self, host: Host<'_>) -> HostMatch {
        let name = match host {
            Host::Malformed => return HostMatch::Malformed,
            Host::Literal => return HostMatch::Unknown,
            Host::Name(name) => name,
        };
        let wildcard = || {
            name.split_once('.')
                .and_then(|(_, base)| self.wildcard.get(base))
        };
        match self.exact.get(name).or_else(wildcard) {
            Some(site) => HostMatch::Site(*site),
            None => HostMatch::Unknown,
        }
    }
}

/// The name in the form in which clients send it (RFC 5891, section 4.4).
fn a_label(pattern: &str, shown: &str, place: &str, complaints: &mut Complaints) -> Option<String> {
    let hint = if pattern.contains('*') {
        "a wildcard stands for the first label alone: *.example.com"
    } else if pattern.contains("://") || pattern.contains('/') {
        "write the host alone, without scheme and path"
    } else if pattern.contains(':') {
        "write the host without a port: the port does not select a site"
    } else {
        "write a name such as shop.example.com"
    };
    let trimmed = pattern.strip_suffix('.').unwrap_or(pattern);
    let ascii = idna::domain_to_ascii(trimmed)
        .ok()
        .filter(|ascii| is_name(ascii.as_bytes()));
    if ascii.is_none() {
        complaints.add_with_hint(place, format_args!("`{shown}` is not a host name"), hint);
    }
    ascii
}
