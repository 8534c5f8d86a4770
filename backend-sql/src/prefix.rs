//! What the names of the tables begin with.

use std::fmt;
use std::str::FromStr;

/// The longest prefix, in bytes: names of channels and tables stay within PostgreSQL's 63.
const MAX_BYTES: usize = 32;

/// What the names of the backend's tables begin with: `maintenance_`, unless the URL says otherwise.
///
/// ```
/// use maintenance_mode_sql::TablePrefix;
///
/// let prefix: TablePrefix = "shop_maintenance_".parse()?;
/// assert_eq!(prefix.to_string(), "shop_maintenance_");
/// assert!("robert'); --".parse::<TablePrefix>().is_err());
/// # Ok::<(), maintenance_mode_sql::TablePrefixError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TablePrefix(String);

/// The text cannot begin a table's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot begin a table's name; use 1 to 32 of a-z, 0-9 and `_`, beginning with a letter"
)]
pub struct TablePrefixError(String);

impl TablePrefix {
    /// The table of this name.
    pub(crate) fn table(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }

    /// Every table.
    pub(crate) fn tables(&self) -> impl Iterator<Item = String> {
        TABLES.iter().map(|name| self.table(name))
    }
}

/// The names of the tables, without the prefix.
pub(crate) const TABLES: [&str; 8] = [
    "migration",
    "state",
    "kept",
    "site",
    "window",
    "exemption",
    "change",
    "lease",
];

impl Default for TablePrefix {
    fn default() -> Self {
        Self("maintenance_".to_owned())
    }
}

impl FromStr for TablePrefix {
    type Err = TablePrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() <= MAX_BYTES
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(TablePrefixError(text.to_owned()))
        }
    }
}

impl fmt::Display for TablePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_prefixes() {
        for good in ["m", "maintenance_", "shop2_", &"x".repeat(32)] {
            assert!(good.parse::<TablePrefix>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "_m",
            "2m",
            "Shop_",
            "a-b",
            "a.b",
            "a\"",
            "a;",
            "é",
            &"x".repeat(33),
        ] {
            assert!(bad.parse::<TablePrefix>().is_err(), "{bad}");
        }
    }
}
