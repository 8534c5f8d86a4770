//! Naming a backend by a URL.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// What a backend is called: `file:state.json`, `memory:`, `redis://cache.internal/0`.
///
/// Passwords are masked wherever it is shown; [`as_str`](Self::as_str) gives the whole text to whoever connects.
///
/// ```
/// use maintenance_mode::backend::BackendUrl;
///
/// let url: BackendUrl = "redis://app:secret@cache.internal/0".parse()?;
/// assert_eq!(url.scheme(), "redis");
/// assert_eq!(url.to_string(), "redis://app:***@cache.internal/0");
/// # Ok::<(), maintenance_mode::backend::BackendUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BackendUrl {
    text: String,
    colon: usize,
}

/// The text names no backend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendUrlError {
    /// No scheme at all.
    #[error("`{0}` is not a backend URL; write `file:` and a path, or `memory:`")]
    NoScheme(String),
    /// A control character or white space.
    #[error("the backend URL contains {0:?}; write it as %{code:02X}", code = u32::from(*.0))]
    Character(char),
    /// A known scheme whose crate is not part of this program.
    #[error("`{scheme}:` needs {needs}, which is not part of this program; it knows {known}")]
    NotBuiltIn {
        /// The scheme.
        scheme: String,
        /// The crate, and the feature of the command-line tool.
        needs: String,
        /// What could be used.
        known: String,
    },
    /// Nobody knows that scheme.
    #[error("`{scheme}:` is not a known backend; this program knows {known}")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
        /// What could be used.
        known: String,
    },
    /// Something after the scheme that the backend cannot use.
    #[error("{url}: {why}")]
    Wrong {
        /// The URL, without secrets.
        url: String,
        /// What is wrong, and the cure.
        why: String,
    },
}

impl BackendUrl {
    /// The part before the colon, in lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.text[..self.colon]
    }

    /// Everything, secrets included. For connecting, not for showing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands between the scheme's colon and the `?`, as written.
    #[must_use]
    pub fn rest(&self) -> &str {
        let rest = &self.text[self.colon + 1..];
        rest.split_once('?').map_or(rest, |(rest, _)| rest)
    }

    /// The parameters after the `?`, with escapes decoded, in the order in which they stand.
    ///
    /// # Errors
    ///
    /// A malformed escape.
    pub fn parameters(&self) -> Result<Vec<(String, String)>, BackendUrlError> {
        let Some((_, query)) = self.text.split_once('?') else {
            return Ok(Vec::new());
        };
        query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((self.unescape(key)?, self.unescape(value)?))
            })
            .collect()
    }

    /// An error about this URL.
    #[must_use]
    pub fn wrong(&self, why: impl Into<String>) -> BackendUrlError {
        BackendUrlError::Wrong {
            url: self.to_string(),
            why: why.into(),
        }
    }

    /// Decodes the escapes (`%20`) of a part of this URL.
    ///
    /// # Errors
    ///
    /// A malformed escape, or bytes that are no text.
    pub fn unescape(&self, text: &str) -> Result<String, BackendUrlError> {
        unescape(text).ok_or_else(|| {
            self.wrong(format!(
                "`{text}` has a `%` that is no escape; write `%25` for `%`"
            ))
        })
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let (hex, after) = rest.split_at_checked(2)?;
            if !hex.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

impl FromStr for BackendUrl {
    type Err = BackendUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let scheme = text
            .split_once(':')
            .map(|(scheme, _)| scheme)
            .filter(|scheme| {
                scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && scheme
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            });
        let Some(scheme) = scheme else {
            return Err(BackendUrlError::NoScheme(mask(text)));
        };
        // A space may be part of a file's name.
        let is_file = scheme.eq_ignore_ascii_case("file");
        if let Some(bad) = text
            .chars()
            .find(|c| c.is_control() || (c.is_whitespace() && !is_file))
        {
            return Err(BackendUrlError::Character(bad));
        }
        let colon = scheme.len();
        Ok(Self {
            text: format!("{}{}", scheme.to_ascii_lowercase(), &text[colon..]),
            colon,
        })
    }
}

impl<'de> Deserialize<'de> for BackendUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for BackendUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.text))
    }
}

impl fmt::Debug for BackendUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&mask(&self.text), f)
    }
}

/// The text without the password of `//user:password@` and without the values of parameters that sound secret.
fn mask(text: &str) -> String {
    let (front, query) = match text.split_once('?') {
        Some((front, query)) => (front, Some(query)),
        None => (text, None),
    };
    // A file's path may have an `@` and has no secret.
    let is_file = front
        .get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
    let mut shown = if is_file {
        front.to_owned()
    } else {
        mask_authority(front)
    };
    if let Some(query) = query {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((key, _)) if sounds_secret(key) => format!("{key}=***"),
            _ => pair.to_owned(),
        });
        shown.push('?');
        shown.push_str(&pairs.collect::<Vec<_>>().join("&"));
    }
    shown
}

fn mask_authority(front: &str) -> String {
    let Some((scheme, rest)) = front.split_once("//") else {
        return front.to_owned();
    };
    // The last `@` ends the user's part even if the password has a `/` or an `@` that should have been escaped.
    match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{scheme}//{name}:***@{host}"),
            // A bare token (NATS) or a bare name: both look alike.
            None => format!("{scheme}//***@{host}"),
        },
        None => front.to_owned(),
    }
}

fn sounds_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    [
        "pass",
        "pwd",
        "secret",
        "token",
        "key",
        "credential",
        "sig",
        "auth",
    ]
    .iter()
    .any(|part| key.contains(part))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> BackendUrl {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in ["", "state.json", "/var/lib/state.json", ":x", "1a:x"] {
            assert!(
                matches!(
                    text.parse::<BackendUrl>(),
                    Err(BackendUrlError::NoScheme(_))
                ),
                "{text}"
            );
        }
        assert_eq!(
            "file:a\nb".parse::<BackendUrl>(),
            Err(BackendUrlError::Character('\n'))
        );
        assert_eq!(
            "redis://a b".parse::<BackendUrl>(),
            Err(BackendUrlError::Character(' '))
        );
    }

    #[test]
    fn secrets_are_masked() {
        for (text, shown) in [
            ("redis://app:s3cr3t@h:6379/0", "redis://app:***@h:6379/0"),
            ("redis://:s3cr3t@h", "redis://:***@h"),
            ("nats://s3cr3t@h", "nats://***@h"),
            (
                "postgres://u:s3/cr@3t@h/db?sslmode=require",
                "postgres://u:***@h/db?sslmode=require",
            ),
            (
                "postgres://h/db?user=u&password=s3cr3t",
                "postgres://h/db?user=u&password=***",
            ),
            (
                "s3://bucket/key?secret_access_key=s3cr3t",
                "s3://bucket/key?secret_access_key=***",
            ),
            ("file:///var/lib/a@b.json", "file:///var/lib/a@b.json"),
        ] {
            let url = parse(text);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("{shown:?}"));
            assert_eq!(url.as_str(), text);
        }
        assert!(
            !"//u:s3cr3t@h"
                .parse::<BackendUrl>()
                .unwrap_err()
                .to_string()
                .contains("s3cr3t")
        );
    }
}
