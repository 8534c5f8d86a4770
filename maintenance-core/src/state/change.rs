//! The log of changes.

use serde::{Deserialize, Serialize};

use super::{Mode, SiteName};
use crate::time::Timestamp;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// The plain mode was set.
    Mode,
    /// Message, expected end or retry time were changed, not the mode.
    Notice,
    /// The windows were changed.
    Windows,
    /// Run-time exemptions were changed.
    Exemptions,
    /// The record was made anew after it had become unreadable or lost.
    Repair,
}

/// One accepted change of one site: who, when, from where, why, old and new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// The revision that the change made.
    pub revision: u64,
    /// Which site.
    pub site: SiteName,
    /// What was done.
    pub action: Action,
    /// The plain mode before.
    pub from: Mode,
    /// The plain mode after.
    pub to: Mode,
    /// Who, as far as is known: a login name, a user of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// From where: `cli@host`, `app@host`, an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Why: a ticket, a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
