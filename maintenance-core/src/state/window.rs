//! Planned time spans.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ActivationId, Message, Mode};
use crate::time::Timestamp;

/// A window's random name; it is the activation id of the period that the window closes.
pub type WindowId = ActivationId;

/// A planned time span with a mode; half-open: start inclusive, end exclusive.
///
/// Read from JSON it is checked; see [`WindowError`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawWindow")]
pub struct Window {
    id: WindowId,
    mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
    enabled: bool,
}

#[derive(Deserialize)]
struct RawWindow {
    id: WindowId,
    #[serde(default = "offline")]
    mode: Mode,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    message: Option<Message>,
    #[serde(default = "enabled")]
    enabled: bool,
}

const fn offline() -> Mode {
    Mode::Offline
}

const fn enabled() -> bool {
    true
}

/// The window cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// It would end before it begins.
    #[error(
        "the window starts at {start} and would end at {end}; the start must come before the end"
    )]
    EndsBeforeStart {
        /// Its start.
        start: Timestamp,
        /// Its end.
        end: Timestamp,
    },
    /// It would not close anything.
    #[error(
        "a window cannot have the mode `online`; disable or cancel the window that should not close the site"
    )]
    Online,
}

impl Window {
    /// A window that is in force from `start` until just before `end`; either may be missing.
    ///
    /// # Errors
    ///
    /// `start` at or after `end`, or the mode `Online`.
    pub fn new(
        id: WindowId,
        mode: Mode,
        start: Option<Timestamp>,
        end: Option<Timestamp>,
    ) -> Result<Self, WindowError> {
        if mode == Mode::Online {
            return Err(WindowError::Online);
        }
        match (start, end) {
            (Some(start), Some(end)) if start >= end => {
                Err(WindowError::EndsBeforeStart { start, end })
            }
            _ => Ok(Self {
                id,
                mode,
                start,
                end,
                message: None,
                enabled: true,
            }),
        }
    }

    /// The same window with a message of its own.
    #[must_use]
    pub fn message(mut self, message: Option<Message>) -> Self {
        self.message = message;
        self
    }

    /// The same window, switched on or off without being forgotten.
    #[must_use]
    pub const fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Its random name.
    #[must_use]
    pub const fn id(&self) -> WindowId {
        self.id
    }

    /// What the site does while the window is in force.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The first moment in which it is in force; `None` for always before the end.
    #[must_use]
    pub const fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// The first moment in which it is no longer in force; `None` for never.
    #[must_use]
    pub const fn end(&self) -> Option<Timestamp> {
        self.end
    }

    /// What visitors are told while it is in force.
    #[must_use]
    pub const fn text(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// Whether it counts.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Whether it counts and `now` lies in it.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.enabled
            && self.start.is_none_or(|start| start <= now)
            && self.end.is_none_or(|end| now < end)
    }

    /// Whether it lies behind `now` altogether.
    #[must_use]
    pub fn is_past(&self, now: Timestamp) -> bool {
        self.end.is_some_and(|end| end <= now)
    }
}

impl TryFrom<RawWindow> for Window {
    type Error = WindowError;

    fn try_from(raw: RawWindow) -> Result<Self, Self::Error> {
        Ok(Self::new(raw.id, raw.mode, raw.start, raw.end)?
            .message(raw.message)
            .enabled(raw.enabled))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.start {
            Some(start) => write!(f, "{} from {start}", self.mode)?,
            None => write!(f, "{}", self.mode)?,
        }
        match self.end {
            Some(end) => write!(f, " until {end}"),
            None => f.write_str(" with no planned end"),
        }
    }
}
