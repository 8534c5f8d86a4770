//! A named, expiring sign of life.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::state::SiteName;

/// The longest note of a lease, in bytes.
pub const MAX_NOTE_BYTES: usize = 4096;

/// The longest name of a lease, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// What a lease is a sign of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LeaseKind {
    /// A visitor who is inside.
    Session,
    /// Work that must not be interrupted: an import, a command.
    Task,
    /// An instance of the application.
    Instance,
    /// Somebody who holds a site closed, and with whose death it opens again.
    Owner,
}

impl LeaseKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Session, Self::Task, Self::Instance, Self::Owner];

    /// The stable word for it, as stores have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Task => "task",
            Self::Instance => "instance",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for LeaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that cannot be part of a lease.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Not a lease's name.
    #[error("{0:?} is not a lease's name; use 1 to 128 printable characters without white space")]
    Name(String),
    /// Not a kind of lease.
    #[error("`{0}` is not a kind of lease; there are session, task, instance and owner")]
    Kind(String),
    /// Not a holder.
    #[error("`{0}` is not a holder (32 hexadecimal digits)")]
    Holder(String),
    /// A note that is too long.
    #[error("the note has {0} bytes; at most {MAX_NOTE_BYTES} are kept")]
    Note(usize),
    /// A note that some stores could not keep.
    #[error("the note has a zero character; leave it out")]
    NoteZero,
    /// Too short or too long.
    #[error("a lease cannot last {0:?}; from one second to a day it can")]
    Lasts(Duration),
}

impl FromStr for LeaseKind {
    type Err = LeaseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| LeaseError::Kind(text.to_owned()))
    }
}

/// The name of a lease: 1 to 128 bytes, printable, without white space.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseName(Arc<str>);

impl Serialize for LeaseName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl LeaseName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LeaseName {
    type Err = LeaseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=MAX_NAME_BYTES).contains(&text.len())
            && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        if fits {
            Ok(Self(Arc::from(text)))
        } else {
            Err(LeaseError::Name(text.to_owned()))
        }
    }
}

impl fmt::Display for LeaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LeaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Who holds a lease: random, drawn by each process that holds any.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Holder(u128);

impl Holder {
    /// Everybody: whoever comes may renew. Sessions are held so, since every instance sees them.
    pub const EVERYBODY: Self = Self(0);

    /// A holder from random bits.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Holder {
    type Err = LeaseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed =
            text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match u128::from_str_radix(text, 16) {
            Ok(bits) if well_formed => Ok(Self(bits)),
            _ => Err(LeaseError::Holder(text.to_owned())),
        }
    }
}

/// Which lease: its kind, its site and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseKey {
    /// What it is a sign of.
    pub kind: LeaseKind,
    /// The site that it belongs to. Instances belong to the default site.
    pub site: SiteName,
    /// Its name, once for each kind and site.
    pub name: LeaseName,
}

/// A lease to begin or to renew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    key: LeaseKey,
    holder: Holder,
    lasts: Duration,
    note: String,
}

impl Lease {
    /// A lease that lasts this long unless it is renewed: a second to a day, in whole milliseconds.
    ///
    /// # Errors
    ///
    /// The time is out of range.
    pub fn new(key: LeaseKey, holder: Holder, lasts: Duration) -> Result<Self, LeaseError> {
        if !(Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(&lasts) {
            return Err(LeaseError::Lasts(lasts));
        }
        Ok(Self {
            key,
            holder,
            lasts: Duration::from_millis(u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX)),
            note: String::new(),
        })
    }

    /// The same lease with something to read, at most [`MAX_NOTE_BYTES`].
    ///
    /// # Errors
    ///
    /// The note is too long, or has a zero character.
    pub fn with_note(mut self, note: impl Into<String>) -> Result<Self, LeaseError> {
        let note = note.into();
        if note.len() > MAX_NOTE_BYTES {
            return Err(LeaseError::Note(note.len()));
        }
        if note.contains('\0') {
            return Err(LeaseError::NoteZero);
        }
        self.note = note;
        Ok(self)
    }

    /// Which lease it is.
    #[must_use]
    pub const fn key(&self) -> &LeaseKey {
        &self.key
    }

    /// Who holds it.
    #[must_use]
    pub const fn holder(&self) -> Holder {
        self.holder
    }

    /// How long it lasts from the moment in which it is renewed.
    #[must_use]
    pub const fn lasts(&self) -> Duration {
        self.lasts
    }

    /// What it says; empty if nothing.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }
}

/// A living lease, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which lease.
    pub key: LeaseKey,
    /// Who holds it.
    pub holder: Holder,
    /// What it says.
    pub note: String,
    /// How long ago it began, by the store's clock.
    pub age: Duration,
    /// How long it lasts yet, by the store's clock.
    pub left: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_printable() {
        for good in ["a", "reindex", "import:2031", "été", &"x".repeat(128)] {
            assert!(good.parse::<LeaseName>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "a\n", "\u{85}", &"x".repeat(129)] {
            assert!(bad.parse::<LeaseName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn words_come_back() -> Result<(), LeaseError> {
        for kind in LeaseKind::ALL {
            assert_eq!(kind.as_str().parse::<LeaseKind>()?, kind);
        }
        let holder = Holder::from_bits(0xabcd);
        assert_eq!(holder.to_string().parse::<Holder>()?, holder);
        assert!("abcd".parse::<Holder>().is_err());
        Ok(())
    }

    #[test]
    fn a_lease_lasts_a_second_to_a_day() -> Result<(), LeaseError> {
        let key = LeaseKey {
            kind: LeaseKind::Task,
            site: SiteName::default(),
            name: "reindex".parse()?,
        };
        let lease = |lasts| Lease::new(key.clone(), Holder::EVERYBODY, lasts);
        assert!(lease(Duration::from_millis(999)).is_err());
        assert!(lease(Duration::from_secs(86_401)).is_err());
        let short = lease(Duration::from_micros(1_500_700))?;
        assert_eq!(short.lasts(), Duration::from_millis(1500));
        let long = "x".repeat(MAX_NOTE_BYTES + 1);
        assert_eq!(short.clone().with_note(long), Err(LeaseError::Note(4097)));
        assert_eq!(short.with_note("\0"), Err(LeaseError::NoteZero));
        Ok(())
    }
}
