//! Configurations with many rules, none of which matches the request that is measured.

use std::net::Ipv4Addr;

use maintenance_mode::{Config, PathRuleConfig};

/// How many rules there are.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Path rules: exact, prefix and glob in turn.
    pub paths: u32,
    /// Networks, IPv4.
    pub addresses: u32,
}

/// No rule at all.
pub const NONE: Size = Size {
    paths: 0,
    addresses: 0,
};
/// What a site may really have.
pub const MANY: Size = Size {
    paths: 100,
    addresses: 1_000,
};
/// More than anybody has.
pub const HUGE: Size = Size {
    paths: 10_000,
    addresses: 100_000,
};

/// A configuration with that many rules.
#[must_use]
pub fn config(size: Size) -> Config {
    let mut config = Config::new();
    for number in 0..size.paths {
        let section = number / 100;
        config = config.allow_path(match number % 3 {
            0 => PathRuleConfig::exact(format!("/section-{section}/page-{number}")),
            1 => PathRuleConfig::prefix(format!("/section-{section}/tree-{number}")),
            _ => PathRuleConfig::glob(format!("/section-{section}/*/leaf-{number}")),
        });
    }
    for number in 0..size.addresses {
        // Scattered over 11.0.0.0/8 and up, never next to each other, never the documentation networks.
        let scattered = 0x0B00_0000 + number * 0x0000_0A02;
        config = config.allow_address(Ipv4Addr::from_bits(scattered).to_string());
    }
    config
}
