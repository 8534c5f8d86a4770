//! What a URL says, and what may be said beside it.

use std::path::Path;
use std::time::Duration;

use maintenance_mode::backend::{BackendError, BackendUrl, BackendUrlError};

use crate::dialect::Dialect;
use crate::link::Target;
use crate::prefix::TablePrefix;

/// How the backend connects and what it calls its tables.
///
/// ```
/// use std::path::Path;
/// use std::time::Duration;
/// use maintenance_mode_sql::{SqlBackend, SqlOptions};
///
/// let url = "postgres://site@db.internal/shop?table_prefix=shop_".parse()?;
/// let options = SqlOptions::from_url(&url, Path::new("."))?.timeout(Duration::from_secs(2));
/// let backend = SqlBackend::new(options);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqlOptions {
    pub(crate) target: Target,
    pub(crate) place: String,
    pub(crate) prefix: TablePrefix,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) hint_interval: Option<Duration>,
    pub(crate) probe_interval: Duration,
}

/// Parameters of the URL that are ours and not the database client's.
const OURS: [&str; 5] = [
    "table_prefix",
    "connect_timeout",
    "timeout",
    "hint_interval",
    "probe_interval",
];

/// Timeouts lie between these two.
const TIMEOUTS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));

impl SqlOptions {
    /// What the URL says. A path of SQLite is relative to `base`.
    ///
    /// # Errors
    ///
    /// A scheme that was not built in, a parameter that does not exist or has a value that it cannot have.
    pub fn from_url(url: &BackendUrl, base: &Path) -> Result<Self, BackendError> {
        let target = target(url, base)?;
        let mut options = Self {
            place: url.to_string(),
            prefix: TablePrefix::default(),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(3),
            hint_interval: Some(Duration::from_millis(match target.dialect() {
                Dialect::Sqlite => 50,
                Dialect::MySql | Dialect::Postgres => 150,
            })),
            probe_interval: Duration::from_secs(60),
            target,
        };
        for (key, value) in url.parameters()? {
            match key.as_str() {
                "table_prefix" => {
                    let prefix = value.parse();
                    options.prefix = prefix
                        .map_err(|error: crate::TablePrefixError| url.wrong(error.to_string()))?;
                }
                "connect_timeout" => options.connect_timeout = duration(url, &key, &value)?,
                "timeout" => options.timeout = duration(url, &key, &value)?,
                "hint_interval" if value == "off" => options.hint_interval = None,
                "hint_interval" => {
                    options.hint_interval = Some(duration_of_any(url, &key, &value)?);
                }
                "probe_interval" => options.probe_interval = duration_of_any(url, &key, &value)?,
                // The others were looked at when the target was made.
                _ => {}
            }
        }
        Ok(options)
    }

    /// Which database it is.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.target.dialect()
    }

    /// What the names of the tables begin with.
    #[must_use]
    pub fn table_prefix(mut self, prefix: TablePrefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// How long a new connection may take: two seconds, unless this says otherwise; 100 ms to a minute.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout.clamp(TIMEOUTS.0, TIMEOUTS.1);
        self
    }

    /// How long an operation may take on a connection: three seconds, unless this says otherwise; 100 ms to a
    /// minute. The server is told, so that it does not go on with what nobody waits for.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.clamp(TIMEOUTS.0, TIMEOUTS.1);
        self
    }

    /// How often a subscription looks for a new revision in MySQL (150 ms) or a new version of the file in SQLite
    /// (50 ms); `None` for no hints at all. PostgreSQL hints without being asked; there only `None` counts.
    #[must_use]
    pub const fn hint_interval(mut self, interval: Option<Duration>) -> Self {
        self.hint_interval = interval;
        self
    }

    /// How often a subscription of PostgreSQL sends itself a notification to see that they still arrive: a minute,
    /// unless this says otherwise.
    #[must_use]
    pub const fn probe_interval(mut self, interval: Duration) -> Self {
        self.probe_interval = interval;
        self
    }
}

/// `2s` or `1500ms`.
fn duration_of_any(url: &BackendUrl, key: &str, value: &str) -> Result<Duration, BackendUrlError> {
    let number = |text: &str| text.parse::<u32>().ok().map(u64::from);
    let millis = match value.strip_suffix("ms") {
        Some(millis) => number(millis),
        None => value
            .strip_suffix('s')
            .and_then(number)
            .map(|seconds| seconds * 1000),
    };
    match millis.map(Duration::from_millis) {
        Some(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(url.wrong(format!(
            "`{key}={value}` is not a time; write `2s` or `1500ms`"
        ))),
    }
}

fn duration(url: &BackendUrl, key: &str, value: &str) -> Result<Duration, BackendUrlError> {
    let duration = duration_of_any(url, key, value)?;
    if (TIMEOUTS.0..=TIMEOUTS.1).contains(&duration) {
        Ok(duration)
    } else {
        Err(url.wrong(format!("`{key}={value}` must lie between 100ms and 60s")))
    }
}

/// Refuses parameters that nobody would read.
fn only(url: &BackendUrl, known: &[&str]) -> Result<(), BackendUrlError> {
    let parameters = url.parameters()?;
    let stranger = parameters
        .iter()
        .find(|(key, _)| !known.contains(&key.as_str()) && !OURS.contains(&key.as_str()));
    match stranger {
        None => Ok(()),
        Some((key, _)) => Err(url.wrong(format!(
            "`{key}` is not a parameter here; there are {}",
            [&OURS, known].concat().join(", ")
        ))),
    }
}

/// The URL with `scheme` and without our own parameters, as the database's client reads it.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn without_ours(url: &BackendUrl, scheme: &str) -> String {
    let query = url.as_str().split_once('?').map_or("", |(_, query)| query);
    let theirs: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let key = pair.split_once('=').map_or(*pair, |(key, _)| key);
            !key.is_empty() && !OURS.contains(&key)
        })
        .collect();
    format!("{scheme}:{}?{}", url.rest(), theirs.join("&"))
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn unreadable(url: &BackendUrl, error: &sqlx::Error) -> BackendUrlError {
    let why = match error {
        sqlx::Error::Configuration(why) => why.to_string(),
        other => other.to_string(),
    };
    url.wrong(format!(
        "{why}; write {}://USER:PASSWORD@HOST:PORT/DATABASE, with every special character of the password as an escape",
        url.scheme()
    ))
}

fn target(url: &BackendUrl, base: &Path) -> Result<Target, BackendError> {
    // Only paths are relative.
    let _ = base;
    match url.scheme() {
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => Ok(postgres(url)?),
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => Ok(mysql(url)?),
        #[cfg(feature = "sqlite")]
        "sqlite" => Ok(sqlite(url, base)?),
        other => Err(url
            .wrong(format!(
                "`{other}:` is not a database that this build of maintenance-mode-sql knows"
            ))
            .into()),
    }
}

#[cfg(feature = "postgres")]
fn postgres(url: &BackendUrl) -> Result<Target, BackendUrlError> {
    only(
        url,
        &[
            "sslmode",
            "sslrootcert",
            "sslcert",
            "sslkey",
            "host",
            "port",
            "dbname",
            "user",
            "password",
            "application_name",
            "options",
        ],
    )?;
    let options: sqlx::postgres::PgConnectOptions = without_ours(url, "postgres")
        .parse()
        .map_err(|error| unreadable(url, &error))?;
    // Poolers know neither of these: floats we have none, and statements must not outlive a transaction.
    let mut options = options.extra_float_digits(None).statement_cache_capacity(0);
    if options.get_application_name().is_none() {
        options = options.application_name("maintenance-mode");
    }
    Ok(Target::Postgres(Box::new(options)))
}

#[cfg(feature = "mysql")]
fn mysql(url: &BackendUrl) -> Result<Target, BackendUrlError> {
    only(
        url,
        &["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "socket"],
    )?;
    let options: sqlx::mysql::MySqlConnectOptions = without_ours(url, "mysql")
        .parse()
        .map_err(|error| unreadable(url, &error))?;
    if options.get_database().is_none() {
        return Err(url.wrong("name the database at the end: mysql://USER@HOST/DATABASE"));
    }
    Ok(Target::MySql(Box::new(options)))
}

#[cfg(feature = "sqlite")]
fn sqlite(url: &BackendUrl, base: &Path) -> Result<Target, BackendUrlError> {
    only(url, &[])?;
    let rest = url.rest();
    let path = match rest.strip_prefix("//") {
        Some(absolute) if absolute.starts_with('/') => absolute,
        Some(_) => {
            return Err(url.wrong(
                "there is a host before the path; write `sqlite:///PATH` for an absolute path and `sqlite:PATH` for \
                 one beside the configuration",
            ));
        }
        None => rest,
    };
    let path = percent_encoding::percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| url.wrong("the path is not text"))?;
    if path.is_empty() || path.ends_with('/') || path.contains(['\0', ':']) {
        return Err(url.wrong(
            "name a file, such as `sqlite:state.db`; a database in memory would be seen by nobody else",
        ));
    }
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(base.join(&*path))
        .create_if_missing(true)
        // Each try is short; who gives up when is decided above.
        .busy_timeout(Duration::from_millis(100));
    Ok(Target::Sqlite(Box::new(options)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SqlOptions, BackendError> {
        SqlOptions::from_url(&text.parse()?, Path::new("/srv"))
    }

    #[test]
    fn parameters_are_read_and_strangers_refused() {
        for text in [
            "postgres://u@h/d?table_prefix=a_&timeout=2s&sslmode=require",
            "postgresql://h/d?connect_timeout=500ms&hint_interval=off",
            "mysql://u@h/d?hint_interval=1s&ssl-mode=REQUIRED",
            "mariadb://u@h/d",
            "sqlite:state.db?table_prefix=a_",
        ] {
            assert!(read(text).is_ok(), "{text}: {:?}", read(text));
        }
        for text in [
            "postgres://u@h/d?tabel_prefix=a_",
            "postgres://u@h/d?table_prefix=A",
            "postgres://u@h/d?timeout=2",
            "postgres://u@h/d?timeout=2h",
            "postgres://u@h/d?timeout=1ms",
            "postgres://u@h/d?sslmode=maybe",
            "mysql://u@h",
            "mysql://u@h/d?sslmode=require",
            "sqlite:",
            "sqlite::memory:",
            "sqlite://host/x",
            "sqlite:a?mode=ro",
        ] {
            assert!(matches!(read(text), Err(BackendError::Url(_))), "{text}");
        }
    }

    #[test]
    fn a_wrong_url_keeps_the_password_to_itself() {
        let text = read("postgres://u:s3cr3t@h:99999/d")
            .unwrap_err()
            .to_string();
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}
