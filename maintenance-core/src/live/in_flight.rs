//! Counting what was admitted and is still running.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// One counter on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    requests: AtomicU64,
    upgraded: AtomicU64,
}

/// Requests between admission and the end of their response body, and upgraded connections apart.
///
/// Each thread counts in a shard of its own, so that threads do not fight for a cache line; the sum is
/// taken by whoever asks. A request is counted *before* it is decided, and taken out again if it is
/// blocked: so the count taken after a switch has every request that the old state admitted.
#[derive(Clone, Debug)]
pub struct InFlight {
    shards: Arc<[Arc<Shard>]>,
}

/// One counted request. Dropping it ends the count, wherever and for whatever cause that happens.
#[derive(Debug)]
#[must_use = "the request is counted as long as the guard lives"]
pub struct InFlightGuard {
    shard: Arc<Shard>,
    upgraded: bool,
}

thread_local! {
    static SHARD: Cell<usize> = const { Cell::new(usize::MAX) };
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

const SHARDS: usize = 64;

impl Default for InFlight {
    fn default() -> Self {
        Self::new()
    }
}

impl InFlight {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Arc::default()).collect(),
        }
    }

    /// Counts a request in.
    #[inline]
    pub fn enter(&self) -> InFlightGuard {
        let shard = Arc::clone(&self.shards[own_shard()]);
        shard.requests.fetch_add(1, Ordering::SeqCst);
        InFlightGuard {
            shard,
            upgraded: false,
        }
    }

    /// Requests that are running now.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shards
            .iter()
            .map(|shard| shard.requests.load(Ordering::SeqCst))
            .sum()
    }

    /// Upgraded connections that are open now.
    #[must_use]
    pub fn upgraded(&self) -> u64 {
        self.shards
            .iter()
            .map(|shard| shard.upgraded.load(Ordering::SeqCst))
            .sum()
    }
}

impl InFlightGuard {
    /// Counts on as an upgraded connection, such as a WebSocket, instead of a request.
    pub fn upgrade(mut self) -> Self {
        if !self.upgraded {
            self.shard.upgraded.fetch_add(1, Ordering::SeqCst);
            self.shard.requests.fetch_sub(1, Ordering::SeqCst);
            self.upgraded = true;
        }
        self
    }
}

impl Drop for InFlightGuard {
    #[inline]
    fn drop(&mut self) {
        let counter = if self.upgraded {
            &self.shard.upgraded
        } else {
            &self.shard.requests
        };
        counter.fetch_sub(1, Ordering::SeqCst);
    }
}

#[inline]
fn own_shard() -> usize {
    SHARD.with(|own| {
        if own.get() == usize::MAX {
            own.set(THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        own.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_return_to_zero_over_threads_and_panics() {
        let in_flight = InFlight::new();
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let in_flight = in_flight.clone();
                std::thread::spawn(move || {
                    for turn in 0..10_000 {
                        let guard = in_flight.enter();
                        let guard = if turn % 3 == 0 {
                            guard.upgrade()
                        } else {
                            guard
                        };
                        if turn % 7 == 0 {
                            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                                let _guard = guard;
                                std::panic::resume_unwind(Box::new(()));
                            }));
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            assert!(thread.join().is_ok());
        }
        assert_eq!((in_flight.count(), in_flight.upgraded()), (0, 0));
    }

    #[test]
    fn a_guard_may_end_on_another_thread() {
        let in_flight = InFlight::new();
        let guard = in_flight.enter();
        assert_eq!(in_flight.count(), 1);
        assert!(std::thread::spawn(move || drop(guard)).join().is_ok());
        assert_eq!(in_flight.count(), 0);
    }
}
