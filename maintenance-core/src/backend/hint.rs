//! Hints that coalesce: however many come, one wait ends.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::Hints;

/// Gives hints to any number of [`HintReceiver`]s. When the last clone is dropped, their subscriptions end.
#[derive(Clone)]
pub struct HintSender {
    count: Arc<watch::Sender<u64>>,
}

impl HintSender {
    /// A sender that nobody listens to yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            count: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Says that something may have changed.
    pub fn hint(&self) {
        self.count
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// A subscription that sees every hint from now on. It waits for `settle` after the first of
    /// several hints, so that one change that is announced five times causes one read.
    #[must_use]
    pub fn subscribe(&self, settle: Duration) -> HintReceiver {
        let receiver = self.count.subscribe();
        let seen = *receiver.borrow();
        HintReceiver {
            receiver,
            seen,
            settle,
            _source: None,
        }
    }
}

impl Default for HintSender {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HintSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HintSender").finish_non_exhaustive()
    }
}

/// A subscription to a [`HintSender`]. A wait that is given up loses no hint.
pub struct HintReceiver {
    receiver: watch::Receiver<u64>,
    seen: u64,
    settle: Duration,
    _source: Option<Box<dyn Send + Sync>>,
}

impl HintReceiver {
    /// Keeps `source` alive as long as the subscription: the watcher, connection or task that sends the hints.
    #[must_use]
    pub fn keep(mut self, source: impl Send + Sync + 'static) -> Self {
        self._source = Some(Box::new(source));
        self
    }
}

impl fmt::Debug for HintReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HintReceiver")
            .field("settle", &self.settle)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Hints for HintReceiver {
    async fn next(&mut self) -> Option<()> {
        let seen = self.seen;
        let news = self.receiver.wait_for(|count| *count != seen).await;
        drop(news.ok()?);
        // Nothing is marked as seen before the last await, so that a dropped future loses nothing.
        if !self.settle.is_zero() {
            tokio::time::sleep(self.settle).await;
        }
        self.seen = *self.receiver.borrow_and_update();
        Some(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_hints_end_one_wait_and_none_is_lost() {
        let sender = HintSender::new();
        sender.hint();
        let mut hints = sender.subscribe(Duration::from_millis(5));
        let long = Duration::from_secs(60);
        assert!(
            tokio::time::timeout(long, hints.next()).await.is_err(),
            "a hint from before"
        );
        for _ in 0..5 {
            sender.hint();
        }
        // Given up while it settles.
        assert!(
            tokio::time::timeout(Duration::from_millis(1), hints.next())
                .await
                .is_err()
        );
        assert_eq!(hints.next().await, Some(()));
        assert!(
            tokio::time::timeout(long, hints.next()).await.is_err(),
            "one change, one hint"
        );
        sender.hint();
        drop(sender);
        assert_eq!(hints.next().await, Some(()));
        assert_eq!(hints.next().await, None);
    }
}
