//! What requests were let through from, while something is closed: for the status filter.
//!
//! In warp nothing can be left with a request. So an admission is kept beside it, by the place in memory
//! where the request's header fields lie: the future of a request owns them, and is pinned as long as it is
//! polled. The filter that keeps an admission lives in that future and removes it when it is dropped, so
//! no later request finds it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use maintenance_mode::Admission;

/// A request that is being served: no other one has the same at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct RequestId(usize);

impl RequestId {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self(std::ptr::from_ref(headers).addr())
    }
}

type Shard = HashMap<RequestId, Admission>;

/// So that threads seldom wait for each other.
const SHARDS: usize = 16;

/// The admissions of all requests that are being served.
#[derive(Debug, Default)]
pub(crate) struct Admissions {
    shards: [Mutex<Shard>; SHARDS],
}

impl Admissions {
    /// Keeps an admission until what comes back is dropped. Then that of a guard further out shows again.
    pub(crate) fn keep(self: &Arc<Self>, id: RequestId, admission: Admission) -> Kept {
        Kept {
            before: self.shard(id).insert(id, admission),
            admissions: Arc::clone(self),
            id,
        }
    }

    /// The admission of a request; `None`: nothing was decided about it.
    pub(crate) fn of(&self, id: RequestId) -> Option<Admission> {
        self.shard(id).get(&id).cloned()
    }

    fn shard(&self, id: RequestId) -> MutexGuard<'_, Shard> {
        // Futures of their size lie some hundred bytes apart.
        let shard = &self.shards[id.0 / 512 % SHARDS];
        // A panic while it is held leaves whole admissions behind.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An admission that is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    admissions: Arc<Admissions>,
    id: RequestId,
    before: Option<Admission>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut shard = self.admissions.shard(self.id);
        match self.before.take() {
            Some(before) => shard.insert(self.id, before),
            None => shard.remove(&self.id),
        };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    use maintenance_mode::live::Judgement;
    use maintenance_mode::{Config, Facts, Maintenance, Mode, Reason};

    /// Two admissions for different reasons.
    async fn two() -> [Admission; 2] {
        let config = Config::new().backend("memory:").allow_path("/open");
        let maintenance = Maintenance::start(config.mode(Mode::Offline)).await;
        let maintenance = maintenance.unwrap();
        ["/open", "/healthz"].map(|path| {
            let facts = Facts::new("GET", path);
            match maintenance.judge(&facts, |_, _| ()) {
                Judgement::Pass(pass) => pass.admission,
                Judgement::Answer { .. } => panic!("{path} is blocked"),
            }
        })
    }

    #[tokio::test]
    async fn an_admission_is_kept_as_long_as_its_guard_lives_and_no_longer() {
        let [outer, inner] = two().await;
        let admissions = Arc::new(Admissions::default());
        let (one, another) = (HeaderMap::new(), HeaderMap::new());
        let id = RequestId::of(&one);
        let reason = || admissions.of(id).map(|its| its.verdict().reason);

        let further_out = admissions.keep(id, outer);
        assert_eq!(reason(), Some(Reason::Path));
        let further_in = admissions.keep(id, inner);
        assert_eq!(reason(), Some(Reason::Health));
        assert!(admissions.of(RequestId::of(&another)).is_none());
        drop(further_in);
        assert_eq!(reason(), Some(Reason::Path));
        drop(further_out);
        assert_eq!(reason(), None);
        let left: usize = admissions
            .shards
            .iter()
            .map(|shard| shard.lock().unwrap().len())
            .sum();
        assert_eq!(left, 0);
    }
}
