//! Tasks that belong to subscriptions.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::backend::Store;

/// Ends a task when it is dropped.
#[derive(Debug)]
pub(crate) struct Ended(pub(crate) AbortHandle);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The first pause between two tries to reach the server, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// Waits until the server can be reached again. A subscription that was lost ends after that, so that whoever held it
/// subscribes anew and reads at once, and not at its next poll. Instances do not knock all at the same time.
pub(crate) async fn until_reachable(store: &Arc<Store>) {
    let mut pause = PAUSES.0;
    loop {
        let mut bits = [0; 1];
        // Without random bits the pause is the plain one.
        let share = getrandom::fill(&mut bits).map_or(0.5, |()| f64::from(bits[0]) / 256.0);
        sleep(pause.mul_f64(0.7 + 0.6 * share)).await;
        match store.links.connect().await {
            Ok(link) => {
                // It served its purpose; the server finds out by itself if this fails.
                let _ = link.close().await;
                return;
            }
            Err(trouble) => tracing::trace!("not yet: {}", trouble.what),
        }
        pause = (pause * 2).min(PAUSES.1);
    }
}
