//! Maintenance state and leases in a database that you already have: PostgreSQL, MySQL, MariaDB or SQLite.
//!
//! ```no_run
//! use maintenance_mode::backend::BackendRegistry;
//! use maintenance_mode::{Maintenance, Policy};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut registry = BackendRegistry::builtin();
//! maintenance_mode_sql::register(&mut registry);
//! let url = "postgres://site:secret@db.internal/shop".parse()?;
//! let backend = registry.open(&url, ".".as_ref())?;
//! let maintenance = Maintenance::builder(Policy::builder().build()?).backend(backend).start().await?;
//! # Ok(())
//! # }
//! ```
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
