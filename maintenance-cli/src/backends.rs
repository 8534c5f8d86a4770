//! Which backends this program can open.

use maintenance_mode::backend::BackendRegistry;

/// Every backend that was built in. Crates with more of them are added here, each by a cargo feature.
pub(crate) fn registry() -> BackendRegistry {
    #[allow(unused_mut, reason = "without features there is nothing to add")]
    let mut registry = BackendRegistry::builtin();
    #[cfg(feature = "redis")]
    maintenance_mode_redis::register(&mut registry);
    registry
}
