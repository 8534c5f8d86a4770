//! A lease as an entry: its key and its value.

use maintenance_mode::presence::{Holder, Lease, LeaseKey, LeaseKind};
use maintenance_mode::state::SiteName;
use serde::{Deserialize, Serialize};

/// What is stored. The entry's own time, which the server sets, is the moment of the last renewal.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Value {
    holder: String,
    /// When it began, in milliseconds since 1970 by the server's clock; missing while it was never renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began: Option<i64>,
    /// How long it lasts from the last renewal, in milliseconds.
    lasts: i64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
}

impl Value {
    pub(crate) fn new(lease: &Lease, began: Option<i64>) -> Self {
        Self {
            holder: lease.holder().to_string(),
            began,
            lasts: i64::try_from(lease.lasts().as_millis()).unwrap_or(i64::MAX),
            note: lease.note().to_owned(),
        }
    }

    pub(crate) fn holder(&self) -> Option<Holder> {
        self.holder.parse().ok()
    }

    /// When it began, for an entry of this time.
    pub(crate) fn began(&self, at: i64) -> i64 {
        self.began.unwrap_or(at)
    }

    /// When it ends, for an entry of this time.
    pub(crate) const fn ends(&self, at: i64) -> i64 {
        at.saturating_add(self.lasts)
    }
}

/// `STATE.KIND.SITE.NAME`, with the name in hexadecimal digits, for it may contain what a key may not.
pub(crate) fn path(state: &str, key: &LeaseKey) -> String {
    use std::fmt::Write;
    let mut path = format!("{state}.{}.{}.", key.kind, key.site);
    for byte in key.name.as_str().bytes() {
        // Writing to a string does not fail.
        let _ = write!(path, "{byte:02x}");
    }
    path
}

/// The keys of a kind, of one site or of all.
pub(crate) fn filter(state: &str, kind: LeaseKind, site: Option<&SiteName>) -> String {
    let site = site.map_or_else(|| "*".to_owned(), ToString::to_string);
    format!("{state}.{kind}.{site}.*")
}

/// The lease that a key is of.
pub(crate) fn key(path: &str) -> Option<LeaseKey> {
    let mut parts = path.rsplitn(4, '.');
    let (name, site, kind) = (parts.next()?, parts.next()?, parts.next()?);
    Some(LeaseKey {
        kind: kind.parse().ok()?,
        site: site.parse().ok()?,
        name: text(name)?.parse().ok()?,
    })
}

fn text(hexadecimal: &str) -> Option<String> {
    let digits = hexadecimal.as_bytes().chunks(2);
    let bytes = digits.map(|two| match two {
        [a, b] => {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            u8::try_from(digit(*a)? * 16 + digit(*b)?).ok()
        }
        _ => None,
    });
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back() -> Result<(), Box<dyn std::error::Error>> {
        for name in ["a.b*c>d", "été/日本", "x"] {
            let lease = LeaseKey {
                kind: LeaseKind::Session,
                site: "shop_1-a".parse()?,
                name: name.parse()?,
            };
            let path = path("a/b", &lease);
            assert!(path.starts_with("a/b.session.shop_1-a."));
            assert_eq!(key(&path), Some(lease));
        }
        for strange in [
            "",
            "state.clock",
            "state.session.shop.6",
            "state.session.shop.zz",
            "s.s.s.61",
        ] {
            assert_eq!(key(strange), None, "{strange}");
        }
        Ok(())
    }
}
