//! Which backends this program can open.

use maintenance_mode::backend::BackendRegistry;

/// Every backend that was built in. Crates with more of them are added here, each by a cargo feature.
pub(crate) fn registry() -> BackendRegistry {
    #[allow(unused_mut, reason = "a small build adds nothing")]
    let mut registry = BackendRegistry::builtin();
    #[cfg(feature = "nats")]
    maintenance_mode_nats::register(&mut registry);
    #[cfg(feature = "object-store")]
    maintenance_mode_object_store::register(&mut registry);
    #[cfg(feature = "redis")]
    maintenance_mode_redis::register(&mut registry);
    #[cfg(feature = "sql")]
    maintenance_mode_sql::register(&mut registry);
    registry
}
