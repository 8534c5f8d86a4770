//! The compiled exemptions of one site, but for its paths.

use std::path::Path;

use super::config::AllowConfig;
use super::header::BypassHeader;
use super::paths::PathRuleConfig;
use super::{AddressSet, Complaints};

/// Health endpoints that are open when nothing is configured.
const DEFAULT_HEALTH: [&str; 3] = ["/healthz", "/livez", "/readyz"];

#[derive(Clone, Debug)]
pub(crate) struct Allow {
    pub(crate) addresses: AddressSet,
    pub(crate) roles: Vec<String>,
    pub(crate) authenticated: bool,
    pub(crate) anonymous: bool,
    pub(crate) tests: bool,
    pub(crate) header: Option<BypassHeader>,
}

impl Allow {
    pub(crate) fn compile(
        config: &AllowConfig,
        place: &str,
        base: &Path,
        complaints: &mut Complaints,
        warnings: &mut Complaints,
    ) -> Self {
        let addresses = config.addresses.as_deref().unwrap_or_default();
        for (index, address) in addresses.iter().enumerate() {
            if address.ends_with("/0") {
                warnings.add_with_hint(
                    format_args!("{place}.addresses[{index}]"),
                    format_args!(
                        "`{address}` lets everybody in, so that the site never closes for them"
                    ),
                    "name the networks of those who work on the site",
                );
            }
        }
        let roles = config.roles.clone().unwrap_or_default();
        for (index, role) in roles.iter().enumerate() {
            if role.trim().is_empty() {
                complaints.add(
                    format_args!("{place}.roles[{index}]"),
                    "a role needs a name",
                );
            }
        }
        Self {
            addresses: AddressSet::compile(addresses, &format!("{place}.addresses"), complaints),
            roles,
            authenticated: config.authenticated.unwrap_or(false),
            anonymous: config.anonymous.unwrap_or(false),
            tests: config.tests.unwrap_or(false),
            header: config.header.as_ref().and_then(|header| {
                let place = format!("{place}.header");
                BypassHeader::compile(header, &place, base, complaints, warnings)
            }),
        }
    }

    /// Whether some rule asks who the visitor is.
    pub(crate) const fn asks_for_visitor(&self) -> bool {
        self.authenticated || self.anonymous || !self.roles.is_empty()
    }
}

/// The health endpoints as rules.
pub(crate) fn health_rules(
    configured: Option<&[String]>,
    place: &str,
    complaints: &mut Complaints,
) -> Vec<PathRuleConfig> {
    let Some(paths) = configured else {
        return DEFAULT_HEALTH.map(PathRuleConfig::exact).into();
    };
    for (index, path) in paths.iter().enumerate() {
        if path.contains('*') {
            complaints.add_with_hint(
                format_args!("{place}[{index}]"),
                format_args!("`{path}`: health endpoints are exact paths"),
                "put the pattern into allow.paths",
            );
        }
    }
    paths.iter().map(PathRuleConfig::exact).collect()
}
