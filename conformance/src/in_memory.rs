//! Handles with a memory of their own, for tests in one process, and switching them.

use maintenance_mode::{Config, Maintenance, Mode, Off, On, SiteName};

/// A handle with its own memory.
///
/// # Panics
///
/// The configuration is wrong.
pub async fn maintenance(config: Config) -> Maintenance {
    let started = Maintenance::start(config.backend("memory:")).await;
    started.expect("memory can be used, and the configuration is right")
}

/// A handle that is pinned offline.
///
/// # Panics
///
/// The configuration is wrong.
pub async fn closed(config: Config) -> Maintenance {
    maintenance(config.mode(Mode::Offline)).await
}

/// Puts the default site into this mode.
///
/// # Panics
///
/// The mode is pinned.
pub async fn close(maintenance: &Maintenance, mode: Mode) {
    let changed = maintenance
        .on(&[SiteName::default()], &On::mode(mode))
        .await;
    changed.expect("nothing pins the mode");
}

/// Opens the default site.
///
/// # Panics
///
/// The mode is pinned.
pub async fn open(maintenance: &Maintenance) {
    let changed = maintenance
        .off(&[SiteName::default()], &Off::default())
        .await;
    changed.expect("nothing pins the mode");
}
