//! Counting what was admitted and is still running.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::state::Version;

/// How many states may have requests that are still running and be told apart.
const ERAS: usize = 8;

/// The counters of some threads, on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    /// Running requests, by the era that they were admitted in.
    requests: [AtomicU64; ERAS],
    upgraded: AtomicU64,
}

/// Requests between admission and the end of their response body, and upgraded connections apart.
///
/// Each thread counts in a shard of its own, so that threads do not fight for a cache line; the sum is
/// taken by whoever asks. A request is counted *before* it is decided, and taken out again if it is
/// blocked: so the count taken after a switch has every request that the old state admitted.
///
/// Requests are counted apart by the state that they were admitted under, so that whoever has switched can
/// wait for those from before alone: [`settled`](Self::settled).
#[derive(Clone, Debug)]
pub struct InFlight {
    shards: Arc<[Arc<Shard>]>,
    eras: Arc<Eras>,
}

/// Which era requests are counted in.
#[derive(Debug)]
struct Eras {
    /// The place of the present one in the counters.
    present: AtomicUsize,
    known: Mutex<KnownEras>,
}

/// Eras that may have running requests, oldest first. The last is the present one.
#[derive(Debug)]
struct KnownEras {
    eras: VecDeque<Era>,
    /// A state that has no era of its own yet, because all places are taken.
    waiting: Option<Version>,
}

#[derive(Clone, Copy, Debug)]
struct Era {
    place: usize,
    /// The state that was shown from its beginning; `None` before the first.
    since: Option<Version>,
}

/// One counted request. Dropping it ends the count, wherever and for whatever cause that happens.
#[derive(Debug)]
#[must_use = "the request is counted as long as the guard lives"]
pub struct InFlightGuard {
    shard: Arc<Shard>,
    /// `None`: it is an upgraded connection.
    era: Option<usize>,
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
        let first = Era {
            place: 0,
            since: None,
        };
        Self {
            shards: (0..SHARDS).map(|_| Arc::default()).collect(),
            eras: Arc::new(Eras {
                present: AtomicUsize::new(first.place),
                known: Mutex::new(KnownEras {
                    eras: VecDeque::from([first]),
                    waiting: None,
                }),
            }),
        }
    }

    /// Counts a request in.
    #[inline]
    pub fn enter(&self) -> InFlightGuard {
        // Read before counting: a request that is counted in a new era decides by the new state, because
        // that was shown before the era began.
        let era = self.eras.present.load(Ordering::SeqCst) % ERAS;
        let shard = Arc::clone(&self.shards[own_shard()]);
        shard.requests[era].fetch_add(1, Ordering::SeqCst);
        InFlightGuard {
            shard,
            era: Some(era),
        }
    }

    /// Requests that are running now.
    #[must_use]
    pub fn count(&self) -> u64 {
        (0..ERAS).map(|era| self.count_of(era)).sum()
    }

    /// Upgraded connections that are open now.
    #[must_use]
    pub fn upgraded(&self) -> u64 {
        self.shards
            .iter()
            .map(|shard| shard.upgraded.load(Ordering::SeqCst))
            .sum()
    }

    /// The newest state before which no running request was admitted: every request that is running now
    /// was decided about under this state or a later one. `None`: some may be older than any state.
    ///
    /// It may lag behind while requests of more than eight states are running, and never runs ahead.
    #[must_use]
    pub fn settled(&self) -> Option<Version> {
        let mut known = self.known();
        self.retire(&mut known);
        known.eras.front().and_then(|oldest| oldest.since)
    }

    /// Counts apart from here on. The state must be shown to requests already.
    pub(super) fn begin_era(&self, since: Option<Version>) {
        let mut known = self.known();
        known.waiting = since;
        self.retire(&mut known);
    }

    fn count_of(&self, era: usize) -> u64 {
        let of_era = |shard: &Arc<Shard>| shard.requests[era].load(Ordering::SeqCst);
        self.shards.iter().map(of_era).sum()
    }

    /// Forgets the oldest eras that have ended, and gives the waiting state one of its own.
    fn retire(&self, known: &mut KnownEras) {
        self.forget_ended(known);
        let Some(since) = known.waiting else {
            return;
        };
        let is_free = |place: &usize| known.eras.iter().all(|era| era.place != *place);
        if let Some(place) = (0..ERAS).find(is_free) {
            known.waiting = None;
            known.eras.push_back(Era {
                place,
                since: Some(since),
            });
            self.eras.present.store(place, Ordering::SeqCst);
            self.forget_ended(known);
        }
    }

    /// A request that has read an era which is then forgotten may count itself in later. It decides by the
    /// newest state, so nobody need wait for it; at worst a newer era in the same place counts it, too.
    fn forget_ended(&self, known: &mut KnownEras) {
        while let [oldest, _, ..] = known.eras.make_contiguous() {
            if self.count_of(oldest.place) > 0 {
                return;
            }
            known.eras.pop_front();
        }
    }

    fn known(&self) -> MutexGuard<'_, KnownEras> {
        // Eras are added and removed whole.
        self.eras
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl InFlightGuard {
    /// Counts on as an upgraded connection, such as a WebSocket, instead of a request.
    pub fn upgrade(mut self) -> Self {
        if let Some(era) = self.era.take() {
            self.shard.upgraded.fetch_add(1, Ordering::SeqCst);
            self.shard.requests[era].fetch_sub(1, Ordering::SeqCst);
        }
        self
    }
}

impl Drop for InFlightGuard {
    #[inline]
    fn drop(&mut self) {
        let counter = match self.era {
            Some(era) => &self.shard.requests[era],
            None => &self.shard.upgraded,
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
    use crate::state::Epoch;

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

    fn version(revision: u64) -> Version {
        Version {
            epoch: Epoch::from_bits(1),
            revision,
        }
    }

    #[test]
    fn settled_when_what_was_admitted_before_has_ended() {
        let in_flight = InFlight::new();
        assert_eq!(in_flight.settled(), None);
        let before = in_flight.enter();
        in_flight.begin_era(Some(version(1)));
        let between = in_flight.enter();
        assert_eq!((in_flight.settled(), in_flight.count()), (None, 2));
        drop(before);
        assert_eq!(in_flight.settled(), Some(version(1)));
        in_flight.begin_era(Some(version(2)));
        let after = in_flight.enter();
        assert_eq!(in_flight.settled(), Some(version(1)));
        let socket = between.upgrade();
        assert_eq!(in_flight.settled(), Some(version(2)));
        drop((after, socket));
        assert_eq!((in_flight.count(), in_flight.upgraded()), (0, 0));
    }

    #[test]
    fn with_more_states_than_places_it_lags_and_never_runs_ahead() {
        let in_flight = InFlight::new();
        let mut running = VecDeque::from([in_flight.enter()]);
        for revision in 1..=20 {
            in_flight.begin_era(Some(version(revision)));
            running.push_back(in_flight.enter());
            assert_eq!(in_flight.settled(), None);
        }
        for ended in 1..=7 {
            running.pop_front();
            assert_eq!(in_flight.settled(), Some(version(ended)));
        }
        // Whatever came when all places were taken was counted in the seventh era.
        while let Some(guard) = running.pop_front() {
            assert_ne!(in_flight.settled(), Some(version(20)), "{running:?}");
            drop(guard);
        }
        assert_eq!(in_flight.settled(), Some(version(20)));
        assert_eq!(in_flight.count(), 0);
    }

    #[test]
    fn requests_that_come_and_go_while_states_change_are_all_counted() {
        let in_flight = InFlight::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        drop(in_flight.enter());
                    }
                });
            }
            for revision in 1..2_000 {
                in_flight.begin_era(Some(version(revision)));
            }
        });
        assert_eq!(in_flight.count(), 0);
        assert_eq!(in_flight.settled(), Some(version(1_999)));
    }
}
