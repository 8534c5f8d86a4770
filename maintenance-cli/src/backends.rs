//! Which backends this program can open.

use maintenance_mode::backend::BackendRegistry;

/// Every backend that was built in. Crates with more of them are added here, each by a cargo feature.
pub(crate) fn registry() -> BackendRegistry {
    #[allow(unused_mut, reason = "nothing is added without features")]
    let mut registry = BackendRegistry::builtin();
    #[cfg(feature = "sql")]
    maintenance_mode_sql::register(&mut registry);
    registry
}
