//! State and leases of [maintenance mode](maintenance_mode) in Redis or Valkey: one switch for a whole fleet.
//!
//! ```no_run
//! use maintenance_mode::backend::BackendRegistry;
//! use maintenance_mode::{Config, Maintenance};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut registry = BackendRegistry::builtin();
//! maintenance_mode_redis::register(&mut registry);
//! let config = Config::new().backend("redis://cache.internal/0?prefix=shop");
//! let maintenance = Maintenance::builder(config).registry(registry).start().await?;
//! # Ok(()) }
//! ```
//!
//! Redis 7 and Valkey are served; older servers lack commands that the leases need.
//!
//! # The URL
//!
//! `redis://`, `valkey://`, with TLS `rediss://`, `valkeys://` (feature `tls`, on unless switched off), and through a
//! socket `unix:///run/redis.sock`, `redis+unix:`, `valkey+unix:`. The number after the host is the database. In a
//! URL for a socket it is `db=`, with `user=` and `pass=`.
//!
//! | parameter | meaning | unless given |
//! |---|---|---|
//! | `prefix` | the key of the record; every other key and the channel begin with it, in braces | `maintenance-mode` |
//! | `timeout` | how long a call may take, in seconds, connecting included | 3 |
//! | `connect_timeout` | how long connecting may take, in seconds | 2 |
//! | `wait` | how many replicas must have a change before it is called stored (`WAIT`) | 0 |
//! | `protocol` | 2 or 3 | 2 |
//! | `ca` | a PEM file with the only authorities to trust | those of the operating system |
//! | `cert`, `cert_key` | PEM files to show to the server | none |
//! | `sentinel` | the name of the primary, for the Sentinels to tell; the URL then names one of them, with its port | |
//! | `sentinels` | the other Sentinels, `HOST:PORT,HOST:PORT` | |
//! | `sentinel_user`, `sentinel_pass` | for the Sentinels themselves | none |
//!
//! In a cluster name any node: the one that has the key is found by what the node answers, and looked for again after
//! it was lost. All keys are in one slot, so only one node has work. After a loss the URL's own node must be up.
//!
//! # What is kept
//!
//! The record is a string under the prefix, with its checksum, to be looked at by `GET`. `{prefix}:created` says that
//! there was one, so that a record that was deleted is told from one that never was. `{prefix}:broken-…` are records
//! that a repair has set aside. `{prefix}:changed` is the channel for hints. `{prefix}:ends:…`, `:began:…`,
//! `:facts:…` and `:sites:…` are leases. Nothing of this has a time to live.
//!
//! # Rights
//!
//! `ACL SETUSER site on >PASSWORD` and
//!
//! ```text
//! resetkeys ~maintenance-mode ~{maintenance-mode}:*
//! resetchannels &{maintenance-mode}:changed
//! -@all +ping +subscribe +publish +wait
//! +eval +exists +get +type +set +renamenx +persist +time
//! +zadd +zrem +zrange +zrangebyscore +zcount +zmscore
//! +hmget +hset +hdel +sadd +smembers
//! ```
//!
//! with the prefix in the place of `maintenance-mode`; `+select` for another database than 0. `+config|get +role` are
//! used for two warnings (below) and may be left out. Without `+publish` changes are seen at the next poll.
//!
//! # What is promised
//!
//! - A change is one script on the server: it is stored if the record still has the bytes that were read, else nothing
//!   happens. No two writers overwrite each other, however many there are.
//! - Whether a change was stored is never guessed. If the connection dies after it was sent, the error is
//!   [`Unknown`](maintenance_mode::backend::BackendError::Unknown), and it is not sent again.
//! - Calls end within `timeout`. A connection that has not answered for half a second is asked for a sign of life
//!   before it is used. A subscription has a connection of its own, is confirmed before it is handed out, and ends
//!   within four seconds if the server falls silent.
//! - A value that is no record is an error, never "open"; so is a deleted one.
//! - Leases live by the server's clock, so instances whose clocks differ agree. 10 000 renewals are one round trip, in
//!   scripts of 500. Counting does not depend on how many there are.
//!
//! # What cannot be done from here
//!
//! - Replication is not awaited unless `wait` says so, and even then a failover may lose a change: whoever has read the
//!   newer revision keeps it and says so, and the next writer meets a conflict.
//! - With `appendonly no`, or `appendfsync everysec` and a loss of power, the last changes may be gone after a
//!   restart; the same holds.
//! - `FLUSHALL` removes the marker too. A new process then finds a site that was never configured; those that run keep
//!   the last state and say that it is gone.
//! - With an `allkeys-…` eviction policy the server may throw the record away. That is warned of once, where `CONFIG
//!   GET` is allowed; use a server with `noeviction`.
//! - A replica that is named by mistake is read (with a warning, where `ROLE` is allowed) and cannot be written.
//! - Leases are not read at one moment if more than 500 are listed.
//! - With TLS, if the process has chosen no default for rustls, this crate chooses `ring`.

mod backend;
mod keys;
mod link;
mod options;
mod presence;
mod source;
mod subscription;
mod survey;
mod trouble;
mod url;

pub use backend::RedisBackend;
pub use options::RedisOptions;

use std::path::Path;
use std::sync::Arc;

use maintenance_mode::backend::{BackendError, BackendRegistry, BackendUrl, StateBackend};

/// The schemes that [`register`] adds.
pub const SCHEMES: [&str; 7] = [
    "redis",
    "rediss",
    "valkey",
    "valkeys",
    "redis+unix",
    "valkey+unix",
    "unix",
];

/// Opens the backend that a URL names. Files that it names are relative to `base`. Connects to nothing yet.
///
/// # Errors
///
/// The URL cannot be used.
pub fn open(url: &BackendUrl, base: &Path) -> Result<Arc<dyn StateBackend>, BackendError> {
    let (told, options) = url::options(url, base)?;
    Ok(Arc::new(RedisBackend::connect_to(url, &told, &options)?))
}

/// Adds the [`SCHEMES`] of this backend to a registry.
pub fn register(registry: &mut BackendRegistry) {
    for scheme in SCHEMES {
        registry.register(scheme, open);
    }
}
