//! What can be chosen about the backend.

use std::time::Duration;

use crate::keys::check_prefix;

/// How state is kept in the server and how long calls may take.
///
/// ```
/// use maintenance_mode_redis::{RedisBackend, RedisOptions};
///
/// let options = RedisOptions::default().prefix("shop").wait_replicas(1);
/// let backend = RedisBackend::open("redis://127.0.0.1/", &options)?;
/// # Ok::<(), maintenance_mode::backend::BackendError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisOptions {
    pub(crate) prefix: String,
    pub(crate) connect_within: Duration,
    pub(crate) answer_within: Duration,
    pub(crate) wait_replicas: u32,
    pub(crate) sentinel: Option<Sentinel>,
    pub(crate) certificates: Certificates,
}

/// How the primary is found by Sentinel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sentinel {
    pub(crate) service: String,
    pub(crate) others: Vec<(String, u16)>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

/// PEM texts.
#[derive(Clone, Default)]
pub(crate) struct Certificates {
    pub(crate) authority: Option<Vec<u8>>,
    pub(crate) client: Option<(Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key is a secret.
        f.debug_struct("Certificates")
            .field("authority", &self.authority.is_some())
            .field("client", &self.client.is_some())
            .finish()
    }
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            prefix: "maintenance-mode".to_owned(),
            connect_within: Duration::from_secs(2),
            answer_within: Duration::from_secs(3),
            wait_replicas: 0,
            sentinel: None,
            certificates: Certificates::default(),
        }
    }
}

impl RedisOptions {
    /// The record's key, and with which every other key and the channel begin, in braces. `maintenance-mode` unless
    /// set. 1 to 200 bytes, without white space and braces; anything else is refused by
    /// [`RedisBackend::open`](crate::RedisBackend::open).
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long connecting may take, from the name's resolution to the end of authentication: 2 s unless set.
    pub fn connect_within(mut self, limit: Duration) -> Self {
        self.connect_within = limit;
        self
    }

    /// How long a call may take altogether, connecting included: 3 s unless set. Keep it under 10 s, after which the
    /// watcher gives up by itself.
    pub fn answer_within(mut self, limit: Duration) -> Self {
        self.answer_within = limit;
        self
    }

    /// How many replicas must have a change before it is reported as stored: none unless set. If fewer have it in
    /// time, the change is stored all the same and reported as
    /// [`Unknown`](maintenance_mode::backend::BackendError::Unknown).
    pub fn wait_replicas(mut self, replicas: u32) -> Self {
        self.wait_replicas = replicas;
        self
    }

    /// Finds the primary of this name by Sentinel. The URL names one Sentinel, with its port; these are the others.
    pub fn sentinel(
        mut self,
        service: impl Into<String>,
        others: impl IntoIterator<Item = (String, u16)>,
    ) -> Self {
        let sentinel = self.sentinel.get_or_insert_default();
        sentinel.service = service.into();
        sentinel.others = others.into_iter().collect();
        self
    }

    /// The user name and the password for the Sentinels themselves, where they ask for any.
    pub fn sentinel_login(mut self, user: Option<String>, password: Option<String>) -> Self {
        let sentinel = self.sentinel.get_or_insert_default();
        sentinel.user = user;
        sentinel.password = password;
        self
    }

    /// Trusts the certificates in this PEM text and no others, for `rediss:`. Without it the operating system's are
    /// trusted.
    pub fn authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.authority = Some(pem.into());
        self
    }

    /// Shows this certificate to the server, for `rediss:`; PEM texts of the chain and of its key.
    pub fn client_certificate(
        mut self,
        chain: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.certificates.client = Some((chain.into(), key.into()));
        self
    }

    /// Why these cannot be used.
    pub(crate) fn check(&self) -> Result<(), String> {
        check_prefix(&self.prefix)?;
        if self.connect_within.is_zero() || self.answer_within.is_zero() {
            return Err("a time limit of zero lets no call succeed".to_owned());
        }
        match &self.sentinel {
            Some(sentinel) if sentinel.service.is_empty() => {
                Err("Sentinel needs the name of the service; write `sentinel=mymaster`".to_owned())
            }
            _ => Ok(()),
        }
    }
}
