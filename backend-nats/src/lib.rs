//! Keeps the state of [`maintenance_mode`] in a NATS JetStream key-value bucket, and its leases in a second one.
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
