//! Leases in this process's memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;

use super::{Held, Holder, Lease, LeaseKey, LeaseKind, PresenceBackend};
use crate::backend::BackendError;
use crate::state::SiteName;

/// Leases for tests and for programs of one process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryPresence {
    leases: Arc<Mutex<BTreeMap<LeaseKey, Kept>>>,
}

#[derive(Clone, Debug)]
struct Kept {
    holder: Holder,
    note: String,
    began: Instant,
    ends: Instant,
}

impl MemoryPresence {
    /// No leases yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn living(&self, now: Instant) -> MutexGuard<'_, BTreeMap<LeaseKey, Kept>> {
        // Leases are replaced one by one, so a panic elsewhere cannot leave half of one.
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.retain(|_, kept| kept.ends > now);
        leases
    }
}

#[async_trait]
impl PresenceBackend for MemoryPresence {
    fn describe(&self) -> String {
        "memory: (of this process only)".to_owned()
    }

    async fn renew(&self, leases: &[Lease]) -> Result<Vec<LeaseKey>, BackendError> {
        let now = Instant::now();
        let mut living = self.living(now);
        let mut refused = Vec::new();
        for lease in leases {
            let present = living.get(lease.key());
            if present.is_some_and(|kept| kept.holder != lease.holder()) {
                refused.push(lease.key().clone());
                continue;
            }
            let began = present.map_or(now, |kept| kept.began);
            living.insert(
                lease.key().clone(),
                Kept {
                    holder: lease.holder(),
                    note: lease.note().to_owned(),
                    began,
                    ends: now + lease.lasts(),
                },
            );
        }
        Ok(refused)
    }

    async fn release(&self, holder: Holder, keys: &[LeaseKey]) -> Result<(), BackendError> {
        let mut living = self.living(Instant::now());
        for key in keys {
            if living.get(key).is_some_and(|kept| kept.holder == holder) {
                living.remove(key);
            }
        }
        Ok(())
    }

    async fn count(&self, kind: LeaseKind, site: Option<&SiteName>) -> Result<u64, BackendError> {
        let living = self.living(Instant::now());
        let of_kind = living.keys().filter(|key| key.belongs(kind, site));
        Ok(of_kind.count() as u64)
    }

    async fn list(
        &self,
        kind: LeaseKind,
        site: Option<&SiteName>,
        most: usize,
    ) -> Result<Vec<Held>, BackendError> {
        let now = Instant::now();
        let living = self.living(now);
        let mut held: Vec<Held> = living
            .iter()
            .filter(|(key, _)| key.belongs(kind, site))
            .map(|(key, kept)| Held {
                key: key.clone(),
                holder: kept.holder,
                note: kept.note.clone(),
                age: now.saturating_duration_since(kept.began),
                left: kept.ends.saturating_duration_since(now),
            })
            .collect();
        held.sort_by_key(|held| std::cmp::Reverse(held.age));
        held.truncate(most);
        Ok(held)
    }
}
