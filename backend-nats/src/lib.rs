//! Keeps the state of [`maintenance_mode`] in a NATS JetStream key-value bucket, and its leases in two more.
//!
//! ```no_run
//! use maintenance_mode::backend::BackendRegistry;
//! use maintenance_mode::{Config, Maintenance};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let mut registry = BackendRegistry::builtin();
//! maintenance_mode_nats::register(&mut registry);
//! let config = Config::new().backend("nats://app:secret@nats-1:4222,nats-2:4222?replicas=3");
//! let maintenance = Maintenance::builder(config).registry(registry).start().await?;
//! # Ok(()) }
//! ```
//!
//! # The URL
//!
//! `nats://HOST`, `nats://USER:PASSWORD@HOST:PORT`, `nats://TOKEN@HOST`, with several servers as
//! `nats://USER:PASSWORD@HOST1:4222,HOST2:4222`. `tls+nats:` requires TLS; `nats:` uses it if the server requires it.
//! Name all servers of a cluster: those that a server tells of are not used. Parameters, each at most once:
//!
//! | parameter | unless said | |
//! |---|---|---|
//! | `bucket` | `maintenance-mode` | the bucket; leases lie in `BUCKET-presence` and `BUCKET-sessions` |
//! | `key` | `state` | the record's key, without dots; several records may share a bucket |
//! | `creds` | | a credentials file, relative to the configuration's folder |
//! | `ca` | the system's | a PEM file with the certificates that are trusted for TLS |
//! | `replicas` | 1 | how many servers keep a bucket that this crate makes: 3 in a cluster |
//! | `lenient` | `false` | reads plain JSON without a record's header line |
//! | `timeout` | 3 | seconds that one request may take: 0.1 to 8 |
//!
//! # What the server must have
//!
//! Version 2.9 or later with JetStream. The buckets are made at the first use. The user needs the right to publish to
//! `$JS.API.STREAM.INFO.KV_BUCKET`, `$JS.API.STREAM.CREATE.KV_BUCKET` (not if the bucket is there),
//! `$JS.API.STREAM.MSG.GET.KV_BUCKET`, `$JS.API.CONSUMER.CREATE.KV_BUCKET.>` and `$KV.BUCKET.>`; the same for
//! `BUCKET-presence` and `BUCKET-sessions`, and there `$JS.API.CONSUMER.MSG.NEXT.>`, `$JS.API.CONSUMER.DELETE.>` and
//! `$JS.API.STREAM.MSG.DELETE.>` too; and to subscribe to `_INBOX.>`. A missing right is named in the error.
//!
//! # What is promised
//!
//! - A write counts only if nobody else wrote in between: it names the number of the entry that it replaces, and the
//!   server compares. A write whose answer is lost is
//!   [`BackendError::Unknown`] and not sent again; what is on its way
//!   at that moment may still count up to two seconds later.
//! - Reads are answered by the stream's leader, never by a replica that may lag behind ("direct get").
//! - Hints come from a watch that the server has confirmed. It ends, and the caller makes another and reads, when
//!   anything is wrong with it: an error, the end of the connection, or two missing heartbeats (4.5 seconds). A task
//!   of its own listens, so a watch never hangs because nobody waits for it. The heartbeats cost each instance one
//!   small message in two seconds, and a connection is asked every two seconds whether it lives.
//! - A connection that was lost is not mended but made anew at the next call, so no request waits in this program for a
//!   server's return. While there is none, each call fails at once or within two seconds for each server (six at
//!   most), and nothing else waits for it.
//! - A record that was deleted (with a mark or without) is told from one that never was, by a second key `KEY.made`. Of
//!   a bucket that was removed as a whole only instances that had read it know.
//! - A repair keeps what was there under `KEY.replaced.NUMBER`.
//! - A record larger than the server's `max_payload` (1 MiB unless set) is refused with both cures.
//!
//! # What the server does not promise
//!
//! **An acknowledged write can be lost.** A NATS server writes to its disk at once but asks for the disk's
//! confirmation every two minutes only; if machines lose power, what came after is gone
//! (Jepsen found this in version 2.12.1, in clusters too). Set
//!
//! ```text
//! jetstream { store_dir: "/var/lib/nats", sync_interval: always }
//! ```
//!
//! (server 2.10 or later) where that matters. A server process that is killed loses nothing. Should the state go back,
//! instances that know a later revision of the same epoch keep it and say so in the log.
//!
//! A leader that was cut off from its cluster may answer reads with an old record until it notices, for some seconds;
//! writes are not confirmed by it.
//!
//! # What leases cost
//!
//! The time of a lease is the server's: an entry's own time, compared with the server's present time. Entries that
//! expire one by one would need server 2.11, so the value says how long it lasts, whoever counts removes those that
//! ended more than ten seconds ago (2 000 at most each time), and the bucket drops what is older than 25 hours.
//!
//! - Renewing costs, for each lease, a read and a write that names the entry it replaces; and once for each call a
//!   write and a read for the server's time. 256 requests are on their way at once.
//! - Counting and listing read every entry of the kind, so their time and their memory grow with the number of
//!   leases: a key-value bucket has no index. Sessions lie apart, so that their number costs nobody else.
//! - Measured with server 2.9 on one busy machine with two processors: 1 000 instances that each renew once a second
//!   are served (7 ms each), and listed in 20 ms. One program renews 14 000 sessions a second. 100 000 sessions are
//!   counted in a second; of 1 000 000 the server does not even begin to count within three seconds, which is the
//!   error "no answer". Whoever counts so many needs Redis or a database.
//!
//! # What cannot be done from here
//!
//! A bucket made by `nats kv add` serves for the state, but not for leases: `nats` forbids the removal of single
//! entries. JetStream domains and other prefixes of its API are not supported, nor is TLS with a client's
//! certificate.

mod backend;
mod bucket;
mod hints;
mod lease;
mod options;
mod presence;
mod scan;
mod session;
mod tls;
mod trouble;

pub use backend::NatsBackend;
pub use options::NatsOptions;

use std::path::Path;
use std::sync::Arc;

use maintenance_mode::backend::{BackendError, BackendRegistry, BackendUrl, StateBackend};

/// Opens the backend that a `nats:` or `tls+nats:` URL names; it connects when it is first used.
///
/// # Errors
///
/// Something in the URL cannot be used.
pub fn open(url: &BackendUrl, base: &Path) -> Result<Arc<dyn StateBackend>, BackendError> {
    let options = NatsOptions::from_url(url, base)?;
    Ok(Arc::new(NatsBackend::new(options)?))
}

/// Makes a registry open `nats:` and `tls+nats:`.
pub fn register(registry: &mut BackendRegistry) {
    registry.register("nats", open).register("tls+nats", open);
}
