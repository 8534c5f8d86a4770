//! The names of everything that is kept in the server.

use maintenance_mode::SiteName;
use maintenance_mode::presence::LeaseKind;

/// The longest prefix, in bytes.
const MAX_PREFIX_BYTES: usize = 200;

/// Names under one prefix. All but the record's have the prefix in braces, so that a cluster keeps them all in the
/// slot of the record.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) record: String,
    /// Says that there once was a record.
    pub(crate) marker: String,
    pub(crate) channel: String,
}

/// Where the leases of one kind and site are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeaseKeys {
    pub(crate) ends: String,
    pub(crate) began: String,
    pub(crate) facts: String,
}

/// Why a prefix cannot be used.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), String> {
    let fits = (1..=MAX_PREFIX_BYTES).contains(&prefix.len())
        && !prefix
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '{' | '}'));
    if fits {
        Ok(())
    } else {
        Err(format!(
            "`prefix={prefix}` is not a prefix; use 1 to {MAX_PREFIX_BYTES} characters without white space and braces"
        ))
    }
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            record: prefix.to_owned(),
            marker: format!("{{{prefix}}}:created"),
            channel: format!("{{{prefix}}}:changed"),
        }
    }

    /// Where the `n`th record goes that is set aside in this second.
    pub(crate) fn aside(&self, seconds: u64, n: u32) -> String {
        let name = format!("{{{}}}:broken-{seconds}", self.record);
        if n == 1 { name } else { format!("{name}-{n}") }
    }

    pub(crate) fn leases(&self, kind: LeaseKind, site: &SiteName) -> LeaseKeys {
        let name = |part| format!("{{{}}}:{part}:{kind}:{site}", self.record);
        LeaseKeys {
            ends: name("ends"),
            began: name("began"),
            facts: name("facts"),
        }
    }

    /// The sites that ever had leases of a kind.
    pub(crate) fn sites(&self, kind: LeaseKind) -> String {
        format!("{{{}}}:sites:{kind}", self.record)
    }
}

impl LeaseKeys {
    pub(crate) fn all(&self) -> [&str; 3] {
        [&self.ends, &self.began, &self.facts]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_the_prefix_and_braces_keep_them_in_one_slot() {
        let keys = Keys::new("shop");
        assert_eq!(keys.record, "shop");
        assert_eq!(keys.marker, "{shop}:created");
        assert_eq!(keys.aside(7, 1), "{shop}:broken-7");
        assert_eq!(keys.aside(7, 2), "{shop}:broken-7-2");
        let leases = keys.leases(LeaseKind::Session, &SiteName::default());
        assert_eq!(leases.ends, "{shop}:ends:session:default");
    }

    #[test]
    fn a_prefix_is_short_and_has_no_braces() {
        for good in ["a", "maintenance-mode", "shop:live", "été"] {
            assert!(check_prefix(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "{a}", "a\n", &"x".repeat(201)] {
            assert!(check_prefix(bad).is_err(), "{bad}");
        }
    }
}
