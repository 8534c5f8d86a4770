//! Which server, which bucket, which key.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use maintenance_mode::backend::{BackendUrl, BackendUrlError};
use percent_encoding::percent_decode_str;

/// How long an operation may take unless the options say otherwise.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Where the state lives and how it is reached.
///
/// ```
/// use maintenance_mode_nats::{NatsBackend, NatsOptions};
///
/// let options = NatsOptions::new(["nats-1.internal:4222", "nats-2.internal:4222"])
///     .user("app", "secret")
///     .bucket("shop-maintenance")
///     .replicas(3);
/// let backend = NatsBackend::new(options)?;
/// # Ok::<(), maintenance_mode::backend::BackendError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct NatsOptions {
    pub(crate) servers: Vec<String>,
    pub(crate) login: Login,
    pub(crate) tls: bool,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) replicas: u8,
    pub(crate) lenient: bool,
    pub(crate) timeout: Duration,
}

/// Who is asking.
#[derive(Clone)]
pub(crate) enum Login {
    Nobody,
    User(String, String),
    Token(String),
    Credentials(PathBuf),
}

impl NatsOptions {
    /// These servers, `HOST` or `HOST:PORT` each; the first that answers is used.
    pub fn new<S: Into<String>>(servers: impl IntoIterator<Item = S>) -> Self {
        Self {
            servers: servers.into_iter().map(Into::into).collect(),
            login: Login::Nobody,
            tls: false,
            ca: None,
            bucket: "maintenance-mode".to_owned(),
            key: "state".to_owned(),
            replicas: 1,
            lenient: false,
            timeout: TIMEOUT,
        }
    }

    /// Logs in with a name and a password.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Login::User(name.into(), password.into());
        self
    }

    /// Logs in with a token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.login = Login::Token(token.into());
        self
    }

    /// Logs in with a credentials file, as `nsc` writes it. It is read at each connection.
    pub fn credentials(mut self, file: impl Into<PathBuf>) -> Self {
        self.login = Login::Credentials(file.into());
        self
    }

    /// Whether TLS is required. Without it TLS is used if the server requires it.
    pub const fn tls(mut self, required: bool) -> Self {
        self.tls = required;
        self
    }

    /// Trusts the certificates of this PEM file, and not those of the system.
    pub fn ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca = Some(file.into());
        self
    }

    /// The key-value bucket, `maintenance-mode` unless said: letters, digits, `-` and `_`. Leases lie in
    /// buckets of this name with `-presence` and `-sessions` after it.
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.bucket = name.into();
        self
    }

    /// The key of the record, `state` unless said: letters, digits, `-`, `_`, `=` and `/`.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// How many servers of the cluster keep a bucket that this backend makes: 1 to 5. Buckets that are there stay
    /// as they are.
    pub const fn replicas(mut self, replicas: u8) -> Self {
        self.replicas = replicas;
        self
    }

    /// Whether plain JSON without the header line of a record is read, as a hand writes it.
    pub const fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    /// How long one operation may take: a tenth of a second to eight seconds; three unless said.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What a `nats:` or `tls+nats:` URL says. Relative paths in it are relative to `base`.
    ///
    /// # Errors
    ///
    /// Something in the URL cannot be used.
    pub fn from_url(url: &BackendUrl, base: &Path) -> Result<Self, BackendUrlError> {
        let rest = url.rest().strip_prefix("//").ok_or_else(|| {
            url.wrong("write `nats://HOST`, or `nats://USER:PASSWORD@HOST:4222,HOST2:4222`")
        })?;
        let (login, hosts) = match rest.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, rest),
        };
        let hosts = hosts.strip_suffix('/').unwrap_or(hosts);
        if hosts.contains('/') || login.is_some_and(|login| login.contains('/')) {
            return Err(url.wrong(
                "nothing stands after the host; name the bucket by `?bucket=`, write several servers as \
                 `nats://USER:PASSWORD@HOST1:4222,HOST2:4222`, and `/` in a password as `%2F`",
            ));
        }
        let mut options = Self::new(hosts.split(',')).tls(url.scheme() == "tls+nats");
        let unescaped = |text: &str| {
            let text = percent_decode_str(text).decode_utf8();
            text.map(String::from)
                .map_err(|_| url.wrong("the user's part is not UTF-8 once its escapes are decoded"))
        };
        options = match login.map(|login| login.split_once(':').ok_or(login)) {
            None => options,
            Some(Ok((name, password))) => options.user(unescaped(name)?, unescaped(password)?),
            Some(Err(token)) => options.token(unescaped(token)?),
        };
        for (key, value) in url.parameters()? {
            options = options.parameter(url, base, &key, value)?;
        }
        options.check().map_err(|why| url.wrong(why))?;
        Ok(options)
    }

    fn parameter(
        self,
        url: &BackendUrl,
        base: &Path,
        key: &str,
        value: String,
    ) -> Result<Self, BackendUrlError> {
        Ok(match key {
            "bucket" => self.bucket(value),
            "key" => self.key(value),
            "creds" => match self.login {
                Login::Nobody => self.credentials(base.join(value)),
                _ => {
                    return Err(
                        url.wrong("there is a user or a token and `creds` too; leave one out")
                    );
                }
            },
            "ca" => self.ca(base.join(value)),
            "replicas" => self.replicas(value.parse().unwrap_or(0)),
            "lenient" => match value.as_str() {
                "true" => self.lenient(true),
                "false" => self.lenient(false),
                other => {
                    return Err(url.wrong(format!("`lenient={other}` must be `true` or `false`")));
                }
            },
            "timeout" => {
                let seconds = value.parse().unwrap_or(0.0);
                self.timeout(Duration::try_from_secs_f64(seconds).unwrap_or_default())
            }
            other => {
                return Err(url.wrong(format!(
                    "`{other}` is not a parameter of NATS; there are bucket, key, creds, ca, replicas, lenient and \
                     timeout"
                )));
            }
        })
    }

    /// Says what cannot be used, and the cure.
    pub(crate) fn check(&self) -> Result<(), String> {
        let word = |text: &str, more: &[u8]| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
        };
        if self.servers.iter().any(String::is_empty) || self.servers.is_empty() {
            return Err("a server's name is missing; write `nats://HOST:4222`".to_owned());
        }
        if !word(&self.bucket, b"-_") {
            return Err(format!(
                "the bucket `{}` must be of letters, digits, `-` and `_`",
                self.bucket
            ));
        }
        if !word(&self.key, b"-_=/") {
            return Err(format!(
                "the key `{}` must be of letters, digits, `-`, `_`, `=` and `/`",
                self.key
            ));
        }
        if !(1..=5).contains(&self.replicas) {
            return Err("`replicas` must be a number from 1 to 5".to_owned());
        }
        if !(Duration::from_millis(100)..=Duration::from_secs(8)).contains(&self.timeout) {
            return Err("`timeout` must be a number of seconds from 0.1 to 8".to_owned());
        }
        Ok(())
    }

    /// The place for people: servers, bucket and key, and who asks, but no secret.
    pub(crate) fn place(&self) -> String {
        let scheme = if self.tls { "tls+nats" } else { "nats" };
        let user = match &self.login {
            Login::Nobody | Login::Credentials(_) => String::new(),
            Login::User(name, _) => format!("{name}:***@"),
            Login::Token(_) => "***@".to_owned(),
        };
        let servers = self.servers.join(",");
        format!(
            "{scheme}://{user}{servers} (bucket `{}`, key `{}`)",
            self.bucket, self.key
        )
    }
}

impl fmt::Debug for NatsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NatsOptions").field(&self.place()).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<NatsOptions, String> {
        NatsOptions::from_url(&text.parse().unwrap(), Path::new("/etc/site"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_url_says_is_understood() {
        let plain = options("nats://localhost").unwrap();
        assert_eq!(
            plain.place(),
            "nats://localhost (bucket `maintenance-mode`, key `state`)"
        );
        let full = options(
            "tls+nats://app:p%40ss@a:4222,b:4223/?bucket=shop&key=x/y&replicas=3&lenient=true&timeout=1.5&ca=ca.pem",
        )
        .unwrap();
        assert_eq!(full.servers, ["a:4222", "b:4223"]);
        assert!(
            matches!(&full.login, Login::User(name, password) if name == "app" && password == "p@ss")
        );
        assert!(full.tls && full.lenient && full.replicas == 3);
        assert_eq!(full.ca.as_deref(), Some(Path::new("/etc/site/ca.pem")));
        assert_eq!(full.timeout, Duration::from_millis(1500));
        let token = options("nats://s3cr3t@h").unwrap();
        assert!(matches!(&token.login, Login::Token(token) if token == "s3cr3t"));
        assert!(!format!("{token:?}").contains("s3cr3t"));
        let creds = options("nats://h?creds=app.creds").unwrap();
        assert!(
            matches!(&creds.login, Login::Credentials(file) if file == Path::new("/etc/site/app.creds"))
        );
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_the_cure() {
        for (text, says) in [
            ("nats:h", "write `nats://HOST`"),
            ("nats://", "a server's name is missing"),
            ("nats://a,", "a server's name is missing"),
            ("nats://a/bucket", "name the bucket by `?bucket=`"),
            ("nats://u:p@a,nats://u:p@b", "write several servers as"),
            ("nats://a?bucket=a.b", "must be of letters"),
            ("nats://a?key=a.b", "must be of letters"),
            ("nats://a?key=", "must be of letters"),
            ("nats://a?replicas=0", "from 1 to 5"),
            ("nats://a?replicas=three", "from 1 to 5"),
            ("nats://a?timeout=9", "from 0.1 to 8"),
            ("nats://a?timeout=-1", "from 0.1 to 8"),
            ("nats://a?lenient=1", "must be `true` or `false`"),
            ("nats://u:p@a?creds=x", "leave one out"),
            ("nats://a?buckets=x", "is not a parameter of NATS"),
        ] {
            let error = options(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
