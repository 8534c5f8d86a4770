//! Which server to connect to: the one that the URL names, the primary that Sentinel names, or the node that a
//! cluster sends us to.

use std::sync::{Mutex, PoisonError};

use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError};

use crate::options::{Certificates, RedisOptions, Sentinel};

pub(crate) struct Source {
    seed: Seed,
    /// The node of a cluster that has the key.
    moved: Mutex<Option<Client>>,
}

enum Seed {
    Server(Box<Client>),
    Sentinel(Box<tokio::sync::Mutex<SentinelClient>>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Clients know passwords.
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

impl Source {
    /// Connects to nothing yet. `Err`: why the URL cannot be used.
    pub(crate) fn new(url: &str, options: &RedisOptions) -> Result<Self, String> {
        let words = |error: RedisError| match error.detail() {
            Some(detail) => format!("{}: {detail}", error.category()),
            None => error.to_string(),
        };
        let info = url.into_connection_info().map_err(words)?;
        let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        if url.contains("#insecure") {
            return Err(
                "certificates are always checked; name the authority with `ca=FILE`".to_owned(),
            );
        }
        let certificates = &options.certificates;
        let has_certificates = certificates.authority.is_some() || certificates.client.is_some();
        if has_certificates && !is_tls {
            return Err("certificates are for `rediss:`".to_owned());
        }
        let seed = match &options.sentinel {
            None => {
                let client = if has_certificates {
                    secured(info, certificates)?
                } else {
                    Client::open(info).map_err(words)?
                };
                Seed::Server(Box::new(client))
            }
            Some(sentinel) => {
                let client = sentinel_client(&info, sentinel, certificates)?;
                Seed::Sentinel(Box::new(tokio::sync::Mutex::new(client)))
            }
        };
        Ok(Self {
            seed,
            moved: Mutex::new(None),
        })
    }

    /// The client to connect with now.
    pub(crate) async fn client(&self) -> Result<Client, RedisError> {
        let moved = self.moved().clone();
        match (moved, &self.seed) {
            (Some(node), _) => Ok(node),
            (None, Seed::Server(client)) => Ok((**client).clone()),
            (None, Seed::Sentinel(sentinel)) => sentinel.lock().await.async_get_client().await,
        }
    }

    /// Follows the words of a cluster's `MOVED` error: `SLOT HOST:PORT`. `false`: they cannot be followed.
    pub(crate) fn follow(&self, words: &str) -> bool {
        let Seed::Server(seed) = &self.seed else {
            return false;
        };
        let address = words.split_ascii_whitespace().nth(1);
        let Some((host, port)) = address.and_then(|address| address.rsplit_once(':')) else {
            return false;
        };
        let Ok(port) = port.parse() else {
            return false;
        };
        let info = seed.get_connection_info();
        let Some(address) = elsewhere(info.addr(), host, port) else {
            return false;
        };
        let node = Client::open(info.clone().set_addr(address)).ok();
        *self.moved() = node;
        self.moved().is_some()
    }

    /// Begins at the URL again.
    pub(crate) fn forget_moved(&self) {
        *self.moved() = None;
    }

    fn moved(&self) -> std::sync::MutexGuard<'_, Option<Client>> {
        // It is replaced in one step.
        self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address of another server that is reached in the same way. No host: the same one.
fn elsewhere(from: &ConnectionAddr, host: &str, port: u16) -> Option<ConnectionAddr> {
    let or = |same: &String| {
        if host.is_empty() {
            same.clone()
        } else {
            host.to_owned()
        }
    };
    match from {
        ConnectionAddr::Tcp(same, _) => Some(ConnectionAddr::Tcp(or(same), port)),
        ConnectionAddr::TcpTls {
            host: same,
            insecure,
            tls_params,
            ..
        } => Some(ConnectionAddr::TcpTls {
            host: or(same),
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        }),
        _ => None,
    }
}

fn sentinel_client(
    info: &ConnectionInfo,
    sentinel: &Sentinel,
    certificates: &Certificates,
) -> Result<SentinelClient, String> {
    let others = sentinel.others.iter();
    let mut addresses = vec![info.addr().clone()];
    for (host, port) in others {
        let address = elsewhere(info.addr(), host, *port);
        addresses.push(address.ok_or("Sentinel is reached by `redis:` or `rediss:`")?);
    }
    let settings = info.redis_settings();
    let mut builder =
        SentinelClientBuilder::new(addresses, &sentinel.service, SentinelServerType::Master)
            .map_err(|error| error.to_string())?
            .set_client_to_redis_db(settings.db())
            .set_client_to_redis_protocol(settings.protocol());
    if let Some(user) = settings.username() {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = settings.password() {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(user) = &sentinel.user {
        builder = builder.set_client_to_sentinel_username(user);
    }
    if let Some(password) = &sentinel.password {
        builder = builder.set_client_to_sentinel_password(password);
    }
    if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        builder = builder
            .set_client_to_redis_tls_mode(redis::TlsMode::Secure)
            .set_client_to_sentinel_tls_mode(redis::TlsMode::Secure);
    }
    with_certificates(builder, certificates)
        .build()
        .map_err(|error| error.to_string())
}

#[cfg(feature = "tls")]
fn tls(certificates: &Certificates) -> redis::TlsCertificates {
    redis::TlsCertificates {
        client_tls: certificates
            .client
            .as_ref()
            .map(|(chain, key)| redis::ClientTlsConfig {
                client_cert: chain.clone(),
                client_key: key.clone(),
            }),
        root_cert: certificates.authority.clone(),
    }
}

#[cfg(feature = "tls")]
fn secured(info: ConnectionInfo, certificates: &Certificates) -> Result<Client, String> {
    Client::build_with_tls(info, tls(certificates)).map_err(|error| error.to_string())
}

#[cfg(not(feature = "tls"))]
fn secured(_: ConnectionInfo, _: &Certificates) -> Result<Client, String> {
    Err("this program was built without TLS (feature `tls` of maintenance-mode-redis)".to_owned())
}

#[cfg(feature = "tls")]
fn with_certificates(
    builder: SentinelClientBuilder,
    certificates: &Certificates,
) -> SentinelClientBuilder {
    if certificates.authority.is_none() && certificates.client.is_none() {
        return builder;
    }
    builder
        .set_client_to_redis_certificates(tls(certificates))
        .set_client_to_sentinel_certificates(tls(certificates))
}

#[cfg(not(feature = "tls"))]
fn with_certificates(builder: SentinelClientBuilder, _: &Certificates) -> SentinelClientBuilder {
    builder
}
