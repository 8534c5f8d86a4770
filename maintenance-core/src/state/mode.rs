//! The five modes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// What a site does with ordinary visitors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Open.
    #[default]
    Online,
    /// Safe methods pass, everything else is refused (RFC 9110, section 9.2.1).
    ReadOnly,
    /// Closing: who is inside may finish, nobody new comes in.
    Pending,
    /// Requests are held for a bounded time, then go on or are refused.
    Paused,
    /// Closed.
    Offline,
}

/// The text is not a mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mode; write online, pending, read_only, paused or offline")]
pub struct ModeError(String);

impl Mode {
    /// Every mode, from the most open to the most closed.
    pub const ALL: [Self; 5] = [
        Self::Online,
        Self::ReadOnly,
        Self::Pending,
        Self::Paused,
        Self::Offline,
    ];

    /// The stable name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::ReadOnly => "read_only",
            Self::Pending => "pending",
            Self::Paused => "paused",
            Self::Offline => "offline",
        }
    }

    /// The most open mode that lets nobody through whom either of the two would stop.
    ///
    /// Two different ways of being half closed leave nobody who passes both, so they make `Offline`.
    ///
    /// ```
    /// use maintenance_mode::Mode;
    ///
    /// assert_eq!(Mode::Online.stricter(Mode::ReadOnly), Mode::ReadOnly);
    /// assert_eq!(Mode::Pending.stricter(Mode::ReadOnly), Mode::Offline);
    /// ```
    #[must_use]
    pub const fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Online, mode) | (mode, Self::Online) => mode,
            (Self::ReadOnly, Self::ReadOnly) => Self::ReadOnly,
            (Self::Pending, Self::Pending) => Self::Pending,
            (Self::Paused, Self::Paused) => Self::Paused,
            _ => Self::Offline,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = ModeError;

    /// Reads the stable name; `-` may stand for `_`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "online" => Ok(Self::Online),
            "pending" => Ok(Self::Pending),
            "read_only" | "read-only" => Ok(Self::ReadOnly),
            "paused" => Ok(Self::Paused),
            "offline" => Ok(Self::Offline),
            other => Err(ModeError(other.to_owned())),
        }
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
