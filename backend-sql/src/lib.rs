//! Maintenance state and leases in a database that you already have: PostgreSQL, MySQL, MariaDB or SQLite.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use maintenance_mode::{Config, Facts, Maintenance, backend::BackendRegistry};
//!
//! # let folder = tempfile::tempdir()?;
//! let mut registry = BackendRegistry::builtin();
//! maintenance_mode_sql::register(&mut registry);
//! // or postgres://site:secret@db.internal/shop
//! let config = Config::new().backend("sqlite:maintenance.db");
//! # let base = folder.path();
//! let maintenance = Maintenance::builder(config).base(base).registry(registry).start().await?;
//! assert!(maintenance.decide(&Facts::new("GET", "/")).is_allowed());
//! # Ok(()) }
//! ```
//!
//! # URLs
//!
//! | URL | database |
//! |---|---|
//! | `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, `postgresql://…` | PostgreSQL 12 or later |
//! | `mysql://USER:PASSWORD@HOST:PORT/DATABASE`, `mariadb://…` | MySQL 8.0.19 or later, MariaDB 10.5 or later |
//! | `sqlite:PATH`, `sqlite:///ABSOLUTE/PATH` | SQLite, which is built in; the file is made if it is missing |
//!
//! Special characters of a password are escaped (`%40` for `@`). What a URL of PostgreSQL leaves out is taken from
//! the usual places: `PGHOST`, `PGUSER`, `~/.pgpass` and so on.
//!
//! | parameter | for | meaning |
//! |---|---|---|
//! | `table_prefix` | all | what the names of the tables begin with; `maintenance_` |
//! | `connect_timeout` | all | how long a new connection may take; `2s` |
//! | `timeout` | all | how long an operation may take; `3s`. The server is told |
//! | `hint_interval` | all | how often a subscription looks: `150ms` (MySQL), `50ms` (SQLite); `off` for no hints at all |
//! | `probe_interval` | PostgreSQL | how often a subscription tests itself; `60s` |
//! | `sslmode`, `sslrootcert`, `sslcert`, `sslkey` | PostgreSQL | as libpq has them; `prefer` |
//! | `host`, `port`, `dbname`, `user`, `password`, `application_name`, `options` | PostgreSQL | as libpq has them; `host` may be the folder of a socket |
//! | `ssl-mode`, `ssl-ca`, `ssl-cert`, `ssl-key`, `socket` | MySQL | as its clients have them; `PREFERRED` |
//!
//! Anything else is refused. TLS is rustls, with the certificates that the operating system trusts.
//!
//! # Tables
//!
//! The backend makes its tables when it is first used, whether it reads or writes; any number of processes may do that
//! at the same time. Where applications may not create tables, [`schema_sql`] has the statements, and so has the error.
//!
//! | table | what is in it |
//! |---|---|
//! | `maintenance_state` | one row, the truth: `epoch`, `revision`, `record` (the bytes of [`codec::encode`], with their checksum), `updated_at` |
//! | `maintenance_site` | a row for each site: its mode, since when, message, expected end, who and why |
//! | `maintenance_window` | a row for each planned window |
//! | `maintenance_exemption` | a row for each run-time exemption: a path or an address |
//! | `maintenance_change` | a row for each of the last changes |
//! | `maintenance_lease` | a row for each session, task and instance; `began_at` and `expires_at` are milliseconds since 1970, by the database's clock |
//! | `maintenance_kept` | what repairs have replaced |
//! | `maintenance_migration` | one row: the version of the tables, and whether there was ever a record |
//!
//! Site, window, exemption and change mirror the record. They are written in the same transaction, so that an
//! application may join with them; **editing them changes nothing**, and the next write undoes it. Columns of
//! `maintenance_state` that were edited by hand make the record unreadable, which is never taken for "open": the last
//! known state holds, and `maintenance repair` keeps what was there.
//!
//! ```sql
//! SELECT o.id FROM orders o, maintenance_site s WHERE s.name = 'default' AND s.mode = 'online';
//! ```
//!
//! # Rights
//!
//! `SELECT`, `INSERT`, `UPDATE` and `DELETE` on the tables (in PostgreSQL nothing on sequences: the one that there is
//! belongs to an identity column); for the first use also the right to create them: `CREATE` on the schema of
//! PostgreSQL, `CREATE` and `INDEX` on the database of MySQL, a writable folder and file for SQLite. A user who may
//! only `SELECT` on `maintenance_state` and `maintenance_migration` can follow the state and not change it.
//!
//! # What it guarantees, and what it does not
//!
//! - A write counts if the stored epoch and revision are the expected ones, in one transaction; a connection that is
//!   lost during its commit makes the outcome [`Unknown`], and nothing is tried a second time.
//! - **PostgreSQL**: every transaction demands a server that writes, so that a standby is refused and not read.
//!   Changes arrive by `LISTEN` and `NOTIFY` on a connection of its own. A pooler in transaction mode (PgBouncer)
//!   swallows `LISTEN` without an error: each subscription therefore sends itself a notification at the start and every
//!   minute, and ends with an error that says so; polling goes on. Everything else works behind such a pooler. An
//!   instance has one connection for state and leases, rarely two, and one that listens.
//!   Asynchronous replication may lose the last writes when a standby is promoted, and `synchronous_commit = off`
//!   when the server crashes: the revision then goes back, and instances keep the newer state that they know.
//! - **MySQL, MariaDB**: there are no notifications. A subscription asks for epoch and revision by primary key every
//!   150 ms: with 100 instances some 700 such questions a second. Name the primary; a replica that lags cannot be told
//!   from one that does not. MySQL's `caching_sha2_password` needs TLS, as it is by default.
//! - **SQLite**: for the processes of one machine; not on a network file system. A subscription asks for the file's
//!   version every 50 ms, and for the revision if that changed. The journal's mode is left as it is; a busy file is
//!   asked for again until the time is over.
//! - The record's row that is gone while `maintenance_migration` says that there was one is [`Vanished`]. If the tables
//!   are dropped, handles that have used them say so too; a new handle makes new ones and finds nothing. A restored
//!   backup has the old epoch and an older revision: it is not applied by instances that know a newer one, and
//!   `maintenance repair` ends that.
//! - A subscription that was lost ends when the server can be reached again, so that its holder reads at once.
//! - Leases are renewed 800 in a statement. Those that have ended are not counted; each renewal removes up to 2000 of
//!   them.
//!
//! # What cannot be done from here
//!
//! Several hosts in one URL; SQLite in memory, which nobody else would see; other encodings than UTF-8 (the error says so).
//!
//! [`codec::encode`]: maintenance_mode::state::codec::encode
//! [`Unknown`]: BackendError::Unknown
//! [`Vanished`]: BackendError::Vanished
//!
//! # Features
//!
//! `postgres`, `mysql` and `sqlite`, all on by default.

mod backend;
mod dialect;
mod link;
mod links;
#[cfg(feature = "postgres")]
mod listen;
mod look;
mod mirror;
mod options;
mod prefix;
mod presence;
mod record;
mod schema;
mod task;
mod trouble;

pub use backend::SqlBackend;
pub use dialect::Dialect;
pub use options::SqlOptions;
pub use prefix::{TablePrefix, TablePrefixError};
pub use schema::schema_sql;

use std::path::Path;
use std::sync::Arc;

use maintenance_mode::backend::{BackendError, BackendRegistry, BackendUrl, StateBackend};

#[cfg(not(any(feature = "postgres", feature = "mysql", feature = "sqlite")))]
compile_error!("choose at least one of the features postgres, mysql and sqlite");

/// The schemes that this build opens.
const SCHEMES: &[&str] = &[
    #[cfg(feature = "postgres")]
    "postgres",
    #[cfg(feature = "postgres")]
    "postgresql",
    #[cfg(feature = "mysql")]
    "mysql",
    #[cfg(feature = "mysql")]
    "mariadb",
    #[cfg(feature = "sqlite")]
    "sqlite",
];

/// Opens the backend that the URL names. Nothing is connected before the first use.
///
/// # Errors
///
/// The URL is wrong: see [`SqlOptions::from_url`].
pub fn open(url: &BackendUrl, base: &Path) -> Result<Arc<dyn StateBackend>, BackendError> {
    Ok(Arc::new(SqlBackend::new(SqlOptions::from_url(url, base)?)))
}

/// Makes the registry know the databases that this crate was built with.
///
/// ```
/// use maintenance_mode::backend::BackendRegistry;
///
/// let mut registry = BackendRegistry::builtin();
/// maintenance_mode_sql::register(&mut registry);
/// assert!(registry.schemes().any(|scheme| scheme == "postgres"));
/// ```
pub fn register(registry: &mut BackendRegistry) {
    for scheme in SCHEMES {
        registry.register(scheme, open);
    }
}
