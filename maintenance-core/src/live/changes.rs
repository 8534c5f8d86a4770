//! Being told of changes.

use std::sync::Arc;

use tokio::sync::watch;

use crate::snapshot::Snapshot;

/// Tells each time that a new snapshot is published; for closing WebSockets or showing a banner.
///
/// Changes that follow each other quickly may be told once. It does not keep the watcher alive.
#[derive(Debug)]
pub struct Changes {
    receiver: watch::Receiver<Arc<Snapshot>>,
}

impl Changes {
    pub(super) const fn new(receiver: watch::Receiver<Arc<Snapshot>>) -> Self {
        Self { receiver }
    }

    /// Waits for the next change. `None`: the last handle is gone.
    pub async fn next(&mut self) -> Option<Arc<Snapshot>> {
        self.receiver.changed().await.ok()?;
        Some(Arc::clone(&self.receiver.borrow_and_update()))
    }
}
