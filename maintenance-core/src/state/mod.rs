//! What operators change at run time: modes, windows, messages, run-time exemptions, and who did it.
//!
//! A [`State`] is plain data with a JSON form. Where it is kept is a backend's business; what it means
//! for a request is the [`crate::Snapshot`]'s.

mod change;
pub mod codec;
mod mode;
mod site;
mod window;

pub use change::{Action, Change};
pub use codec::{decode, encode};
pub use mode::{Mode, ModeError};
pub use site::{
    Activation, ActivationId, MAX_MESSAGE_BYTES, Message, MessageError, RuntimeExemptions,
    SiteName, SiteNameError, SiteState,
};
pub use window::{Window, WindowError, WindowId};

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The schema number that this version writes.
pub const SCHEMA: u32 = 1;

/// How many changes the log keeps.
pub const LOG_LENGTH: usize = 100;

/// Which life of the stored record this is: random, drawn when the record is created or reset.
///
/// Two records with different epochs have nothing to do with each other's revisions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(u64);

impl Epoch {
    /// An epoch from random bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an epoch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an epoch (16 hexadecimal digits)")]
pub struct EpochError(String);

impl FromStr for Epoch {
    type Err = EpochError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed =
            text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match u64::from_str_radix(text, 16) {
            Ok(bits) if well_formed => Ok(Self(bits)),
            _ => Err(EpochError(text.to_owned())),
        }
    }
}

impl Serialize for Epoch {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a record stands: compare-and-set is on both parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Version {
    /// The record's life.
    pub epoch: Epoch,
    /// Accepted writes in that life; the first record has revision 1.
    pub revision: u64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.revision)
    }
}

/// What operators change at run time, for all sites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The schema number; a reader refuses one that is newer than its own.
    pub schema: u32,
    /// Which life of the record this is.
    pub epoch: Epoch,
    /// Accepted writes in this epoch.
    pub revision: u64,
    /// The sites that somebody has ever changed; any other site is online.
    #[serde(default)]
    pub sites: BTreeMap<SiteName, SiteState>,
    /// The last changes, oldest first, at most [`LOG_LENGTH`].
    #[serde(default)]
    pub log: Vec<Change>,
}

impl State {
    /// An empty record at revision 0 of this epoch: nothing was ever changed.
    #[must_use]
    pub const fn new(epoch: Epoch) -> Self {
        Self {
            schema: SCHEMA,
            epoch,
            revision: 0,
            sites: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    /// Epoch and revision.
    #[must_use]
    pub const fn version(&self) -> Version {
        Version {
            epoch: self.epoch,
            revision: self.revision,
        }
    }

    /// The site's part, if it was ever changed.
    #[must_use]
    pub fn site(&self, name: &SiteName) -> Option<&SiteState> {
        self.sites.get(name)
    }

    /// The site's part, to change it.
    pub fn site_mut(&mut self, name: &SiteName) -> &mut SiteState {
        self.sites.entry(name.clone()).or_default()
    }

    /// Appends to the log and drops the oldest entry when it is full.
    pub fn record(&mut self, change: Change) {
        self.log.push(change);
        let excess = self.log.len().saturating_sub(LOG_LENGTH);
        self.log.drain(..excess);
    }
}
