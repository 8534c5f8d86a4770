//! Opening the backend that a URL names.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{BackendError, BackendUrl, BackendUrlError, MemoryBackend, StateBackend};

/// Schemes that other crates of this project serve: scheme, crate, feature of the command-line tool.
const ELSEWHERE: [(&str, &str, &str); 17] = [
    ("redis", "maintenance-mode-redis", "redis"),
    ("rediss", "maintenance-mode-redis", "redis"),
    ("valkey", "maintenance-mode-redis", "redis"),
    ("valkeys", "maintenance-mode-redis", "redis"),
    ("redis+unix", "maintenance-mode-redis", "redis"),
    ("valkey+unix", "maintenance-mode-redis", "redis"),
    ("unix", "maintenance-mode-redis", "redis"),
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
