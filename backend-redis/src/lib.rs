//! State and leases of [maintenance mode](maintenance_mode) in Redis or Valkey.

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
