//! The cell that requests look into.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwap, Guard};

use crate::snapshot::Snapshot;
use crate::time::Timestamp;

/// An atomically swapped snapshot behind a flag that says "every site is online from here on".
///
/// The flag alone answers while nothing is closed and nothing is planned. It is lowered before anything
/// closes and raised only when the snapshot itself says so, hence never says "open" of a closed site.
#[derive(Debug)]
pub(super) struct Cell {
    quiet: AtomicBool,
    snapshot: ArcSwap<Snapshot>,
}

impl Cell {
    pub(super) fn new(snapshot: Arc<Snapshot>, now: Timestamp) -> Self {
        let quiet = AtomicBool::new(snapshot.stays_online(now));
        Self {
            quiet,
            snapshot: ArcSwap::new(snapshot),
        }
    }

    /// Sequentially consistent, as is counting in: whoever counts what is in flight after a store sees
    /// every request that still read the old flag.
    #[inline]
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::SeqCst)
    }

    pub(super) fn load(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    pub(super) fn store(&self, snapshot: Arc<Snapshot>, now: Timestamp) {
        let quiet = snapshot.stays_online(now);
        self.snapshot.store(snapshot);
        self.quiet.store(quiet, Ordering::SeqCst);
    }

    /// Raises the flag when the last window has passed.
    pub(super) fn settle(&self, now: Timestamp) {
        let quiet = self.snapshot.load().stays_online(now);
        self.quiet.store(quiet, Ordering::SeqCst);
    }
}
