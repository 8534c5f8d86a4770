//! The formats of an answer.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A page for people.
    Html,
    /// `application/problem+json` (RFC 9457).
    Json,
    /// `text/plain`.
    Text,
    /// A redirect to another page.
    Redirect,
    /// A gRPC status, `UNAVAILABLE`.
    Grpc,
    /// One event, after which an `EventSource` comes back.
    EventStream,
    /// Permission for the request that a CORS preflight asks about.
    Preflight,
    /// What the application's function made.
    Custom,
}

impl Format {
    /// The stable name, for logs and `explain`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
            Self::Text => "text",
            Self::Redirect => "redirect",
            Self::Grpc => "grpc",
            Self::EventStream => "event_stream",
            Self::Preflight => "preflight",
            Self::Custom => "custom",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the configuration may ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormatChoice {
    /// By the client's `Accept`.
    #[default]
    Auto,
    /// Always a page.
    Html,
    /// Always `application/problem+json`.
    Json,
    /// Always plain text.
    Text,
    /// A redirect, but JSON for JSON clients (see [`super::AnswerConfig::redirect_json`]).
    Redirect,
}

impl FormatChoice {
    /// The format, unless the client decides.
    #[must_use]
    pub const fn fixed(self) -> Option<Format> {
        match self {
            Self::Auto => None,
            Self::Html => Some(Format::Html),
            Self::Json => Some(Format::Json),
            Self::Text => Some(Format::Text),
            Self::Redirect => Some(Format::Redirect),
        }
    }
}
