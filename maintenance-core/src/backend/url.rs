//! Naming a backend by a URL, and opening it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};

use super::{BackendError, MemoryBackend, StateBackend};

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

/// Schemes that other crates of this project serve: scheme, crate, feature of the command-line tool.
const ELSEWHERE: [(&str, &str, &str); 12] = [
    ("redis", "maintenance-mode-redis", "redis"),
    ("rediss", "maintenance-mode-redis", "redis"),
    ("postgres", "maintenance-mode-sql", "sql"),
    ("postgresql", "maintenance-mode-sql", "sql"),
    ("mysql", "maintenance-mode-sql", "sql"),
    ("mariadb", "maintenance-mode-sql", "sql"),
    ("sqlite", "maintenance-mode-sql", "sql"),
    ("nats", "maintenance-mode-nats", "nats"),
    ("tls+nats", "maintenance-mode-nats", "nats"),
    ("s3", "maintenance-mode-object-store", "object-store"),
    ("gs", "maintenance-mode-object-store", "object-store"),
    ("az", "maintenance-mode-object-store", "object-store"),
];

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

    fn unescape(&self, text: &str) -> Result<String, BackendUrlError> {
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

/// Opens a backend. It does no slow I/O: a backend connects when it is first used, and again after it was lost.
pub type Opener =
    Arc<dyn Fn(&BackendUrl, &Path) -> Result<Arc<dyn StateBackend>, BackendError> + Send + Sync>;

/// Which schemes a program can open.
///
/// ```
/// use std::path::Path;
/// use std::sync::Arc;
/// use maintenance_mode::backend::{BackendRegistry, MemoryBackend};
///
/// let mut registry = BackendRegistry::builtin();
/// registry.register("test", |_url, _base| Ok(Arc::new(MemoryBackend::new())));
/// let backend = registry.open(&"test:anything".parse()?, Path::new("."))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct BackendRegistry {
    openers: BTreeMap<String, Opener>,
}

impl BackendRegistry {
    /// A registry that knows nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The registry that knows the backends of this crate: `file` and `memory`.
    #[must_use]
    pub fn builtin() -> Self {
        let mut registry = Self::empty();
        registry.register("memory", open_memory);
        registry.register("file", open_file);
        registry
    }

    /// Adds a scheme, or replaces the one of that name.
    ///
    /// The opener gets the URL and the folder that relative paths are relative to.
    pub fn register<F>(&mut self, scheme: &str, opener: F) -> &mut Self
    where
        F: Fn(&BackendUrl, &Path) -> Result<Arc<dyn StateBackend>, BackendError>
            + Send
            + Sync
            + 'static,
    {
        self.openers
            .insert(scheme.to_ascii_lowercase(), Arc::new(opener));
        self
    }

    /// The schemes, sorted.
    pub fn schemes(&self) -> impl Iterator<Item = &str> {
        self.openers.keys().map(String::as_str)
    }

    /// Whether [`open`](Self::open) would find an opener.
    ///
    /// # Errors
    ///
    /// The scheme is not registered; the error says which crate has it, or which schemes there are.
    pub fn check(&self, url: &BackendUrl) -> Result<(), BackendUrlError> {
        self.opener(url).map(|_| ())
    }

    /// Opens the backend that the URL names. Relative paths are relative to `base`.
    ///
    /// # Errors
    ///
    /// The scheme is not registered, the URL is wrong, or the place is not safe.
    pub fn open(
        &self,
        url: &BackendUrl,
        base: &Path,
    ) -> Result<Arc<dyn StateBackend>, BackendError> {
        self.opener(url)?(url, base)
    }

    fn opener(&self, url: &BackendUrl) -> Result<&Opener, BackendUrlError> {
        if let Some(opener) = self.openers.get(url.scheme()) {
            return Ok(opener);
        }
        let known: Vec<_> = self
            .schemes()
            .map(|scheme| format!("`{scheme}:`"))
            .collect();
        let (scheme, known) = (url.scheme().to_owned(), known.join(", "));
        match ELSEWHERE.iter().find(|(known, ..)| *known == scheme) {
            Some((_, package, feature)) => Err(BackendUrlError::NotBuiltIn {
                scheme,
                needs: format!(
                    "the crate `{package}` (feature `{feature}` of `maintenance-mode-cli`)"
                ),
                known,
            }),
            None => Err(BackendUrlError::UnknownScheme { scheme, known }),
        }
    }
}

impl fmt::Debug for BackendRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.openers.keys()).finish()
    }
}

/// Opens a backend of this crate; relative paths are relative to `base`, the folder of the configuration.
///
/// # Errors
///
/// As [`BackendRegistry::open`].
pub fn open_builtin(url: &BackendUrl, base: &Path) -> Result<Arc<dyn StateBackend>, BackendError> {
    BackendRegistry::builtin().open(url, base)
}

fn open_memory(url: &BackendUrl, _base: &Path) -> Result<Arc<dyn StateBackend>, BackendError> {
    if url.rest().is_empty() && url.parameters()?.is_empty() {
        Ok(Arc::new(MemoryBackend::new()))
    } else {
        Err(url.wrong("`memory:` takes nothing after the colon").into())
    }
}

#[cfg(unix)]
fn open_file(url: &BackendUrl, base: &Path) -> Result<Arc<dyn StateBackend>, BackendError> {
    let options = file_options(url)?;
    let path = base.join(file_path(url)?);
    Ok(Arc::new(super::FileBackend::open(path, options)?))
}

#[cfg(not(unix))]
fn open_file(_url: &BackendUrl, _base: &Path) -> Result<Arc<dyn StateBackend>, BackendError> {
    Err(BackendError::Unsupported {
        backend: "the file backend",
        what: "work on this operating system, only on Unix; use a database",
    })
}

/// `file:PATH`, `file:///PATH`; escapes are decoded.
#[cfg_attr(not(unix), allow(dead_code))]
fn file_path(url: &BackendUrl) -> Result<PathBuf, BackendUrlError> {
    let rest = url.rest();
    let path = match rest.strip_prefix("//") {
        Some(absolute) if absolute.starts_with('/') => absolute,
        Some(_) => {
            return Err(url.wrong(
                "there is a host before the path; write `file:///PATH` for an absolute path and `file:PATH` for one \
                 beside the configuration",
            ));
        }
        None => rest,
    };
    let path = url.unescape(path)?;
    if path.is_empty() || path.ends_with('/') {
        return Err(url.wrong("name a file, such as `file:state.json`"));
    }
    if path.contains('\0') {
        return Err(url.wrong("a path cannot contain a zero byte"));
    }
    Ok(PathBuf::from(path))
}

#[cfg(unix)]
fn file_options(url: &BackendUrl) -> Result<super::FileOptions, BackendUrlError> {
    let mut options = super::FileOptions::default();
    for (key, value) in url.parameters()? {
        let flag = || match value.as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(url.wrong(format!("`{key}={other}` must be `true` or `false`"))),
        };
        match key.as_str() {
            "lenient" => options.lenient = flag()?,
            "follow_links" => options.follow_links = flag()?,
            "owner" => {
                let uid = value.parse();
                options.owner = Some(uid.map_err(|_| {
                    url.wrong(format!("`owner={value}` must be the number of a user"))
                })?);
            }
            other => {
                return Err(url.wrong(format!(
                    "`{other}` is not a parameter of a file; there are lenient, follow_links and owner"
                )));
            }
        }
    }
    Ok(options)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> BackendUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_file_may_be_relative_or_absolute() {
        for (text, path) in [
            ("file:state.json", "state.json"),
            ("FILE:a/b.json", "a/b.json"),
            ("file:/var/lib/s.json", "/var/lib/s.json"),
            ("file:///var/lib/s.json", "/var/lib/s.json"),
            ("file:a%20b%3F.json?lenient=true", "a b?.json"),
            ("file:a b.json", "a b.json"),
        ] {
            assert_eq!(
                file_path(&parse(text)).unwrap(),
                PathBuf::from(path),
                "{text}"
            );
        }
        for text in [
            "file:",
            "file://host/x",
            "file:a%2",
            "file:a%+1",
            "file:dir/",
            "file:a%00b",
        ] {
            assert!(file_path(&parse(text)).is_err(), "{text}");
        }
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

    #[cfg(unix)]
    #[test]
    fn parameters_of_a_file() {
        let options =
            file_options(&parse("file:x?lenient=true&follow_links=true&owner=1000")).unwrap();
        assert!(options.lenient && options.follow_links && options.owner == Some(1000));
        for text in ["file:x?lenient=1", "file:x?lenent=true", "file:x?owner=www"] {
            assert!(file_options(&parse(text)).is_err(), "{text}");
        }
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

    #[test]
    fn unknown_schemes_say_what_there_is() {
        let open = |text: &str| {
            open_builtin(&parse(text), Path::new("."))
                .unwrap_err()
                .to_string()
        };
        assert!(open("redis://h").contains("the crate `maintenance-mode-redis` (feature `redis`"));
        assert!(open("etcd://h").contains("this program knows `file:`, `memory:`"));
        assert!(open("memory:x").contains("nothing after the colon"));
        for (scheme, ..) in ELSEWHERE {
            assert!(
                open(&format!("{scheme}://h")).contains("needs the crate"),
                "{scheme}"
            );
        }
    }
}
