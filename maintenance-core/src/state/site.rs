//! One site's part of the state.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Mode, Window};
use crate::time::Timestamp;

/// The longest message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 4096;

/// A site's name: 1 to 63 of `a-z`, `0-9`, `-`, `_`, beginning with a letter or digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteName(Arc<str>);

/// The text is not a site's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a site's name; use 1 to 63 of a-z, 0-9, `-` and `_`, beginning with a letter or digit"
)]
pub struct SiteNameError(String);

impl SiteName {
    /// Every host that no other site claims.
    pub const DEFAULT: &'static str = "default";

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the site of every host that no other site claims.
    #[must_use]
    pub fn is_default(&self) -> bool {
        &*self.0 == Self::DEFAULT
    }
}

impl Default for SiteName {
    fn default() -> Self {
        Self(Arc::from(Self::DEFAULT))
    }
}

impl FromStr for SiteName {
    type Err = SiteNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = matches!(text.as_bytes(), [b'a'..=b'z' | b'0'..=b'9', ..])
            && text.len() <= 63
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if good {
            Ok(Self(Arc::from(text)))
        } else {
            Err(SiteNameError(text.to_owned()))
        }
    }
}

impl Borrow<str> for SiteName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for SiteName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SiteName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What operators tell visitors: plain text, at most [`MAX_MESSAGE_BYTES`], no control characters but line feeds.
///
/// It is escaped for the place where it is shown; it never reaches a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Message(String);

/// The text cannot be shown to visitors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Too long.
    #[error("the message has {0} bytes; at most {MAX_MESSAGE_BYTES} are kept")]
    TooLong(usize),
    /// A control character.
    #[error("the message contains the control character U+{0:04X}; use plain text and line feeds")]
    Control(u32),
    /// Nothing in it.
    #[error("the message is empty; leave it out instead")]
    Empty,
}

impl Message {
    /// Takes a text as it is, if it can be shown.
    ///
    /// # Errors
    ///
    /// An empty or overlong text, or one with control characters.
    pub fn new(text: impl Into<String>) -> Result<Self, MessageError> {
        let text = text.into();
        if text.trim().is_empty() {
            return Err(MessageError::Empty);
        }
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(MessageError::TooLong(text.len()));
        }
        match text.chars().find(|c| c.is_control() && *c != '\n') {
            Some(c) => Err(MessageError::Control(c.into())),
            None => Ok(Self(text)),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Message {
    type Error = MessageError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<Message> for String {
    fn from(message: Message) -> Self {
        message.0
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A random name of 128 bits for one period of maintenance, as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActivationId(u128);

/// The text is not an activation id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an activation id (32 hexadecimal digits, as `maintenance status` prints them)"
)]
pub struct ActivationIdError(String);

impl ActivationId {
    /// An id from random bits.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

impl fmt::Display for ActivationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ActivationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ActivationId {
    type Err = ActivationIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed =
            text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match u128::from_str_radix(text, 16) {
            Ok(bits) if well_formed => Ok(Self(bits)),
            _ => Err(ActivationIdError(text.to_owned())),
        }
    }
}

impl Serialize for ActivationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ActivationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One period of maintenance of one site, from leaving `Online` to returning to it.
///
/// It belongs to the site, not to the whole state, so that ending one site's period cannot end another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// Its random name.
    pub id: ActivationId,
    /// When it began.
    pub since: Timestamp,
}

/// Exemptions that operators add while the site is closed. They end with the activation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuntimeExemptions {
    /// Path rules in the short form of the configuration: an exact path, or a glob when it has a `*`.
    pub paths: Vec<String>,
    /// Addresses and networks.
    pub addresses: Vec<String>,
}

impl RuntimeExemptions {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.addresses.is_empty()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// One site's part of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteState {
    /// The plain mode, as switched by hand.
    pub mode: Mode,
    /// The period of maintenance that the plain mode is in; `None` while it is `Online`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
    /// What visitors are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// When the operator expects to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_end: Option<Timestamp>,
    /// Seconds for `Retry-After`, instead of the configured ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Who switched last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Somebody holds the site closed by a lease, and it opens when he dies: see [`crate::presence`], kind
    /// `owner`, with the activation's id as its name.
    #[serde(skip_serializing_if = "is_false")]
    pub held: bool,
    /// Planned time spans.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Exemptions added at run time.
    #[serde(skip_serializing_if = "RuntimeExemptions::is_empty")]
    pub exemptions: RuntimeExemptions,
}
