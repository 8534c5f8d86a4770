//! The record as an object.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use maintenance_mode::backend::{
    BackendError, Hints, StateBackend, check_repair, check_succession,
};
use maintenance_mode::presence::PresenceBackend;
use maintenance_mode::state::codec::MAX_RECORD_BYTES;
use maintenance_mode::state::{State, Version, codec};
use object_store::path::Path;
use object_store::{ObjectStore, PutMode, UpdateVersion};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use crate::bucket::{Bucket, Object, new_mark};
use crate::failure::{Failure, Trouble};
use crate::write::{NotStored, Over, jittered};

/// How long a call may take where the URL does not say otherwise.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);

/// How often a write begins anew because an object changed that then turns out to be the same record.
const ROUNDS: u32 = 4;

/// How often a read is tried when a passing fault ends it, and the pause in between.
const READ_TRIES: u32 = 3;
const READ_PAUSE: Duration = Duration::from_millis(100);

/// What the marker object says.
const MARKER: &[u8] = b"A maintenance record was created beside this object. If the record is missing, it was deleted.\n";

/// State in an object of a store that can write under a condition.
///
/// Beside the record `KEY` there are `KEY.created`, the marker by which a deleted record is told from one that was
/// never created; `KEY.probe`, by which a store is tried for conditional writes; and one `KEY.replaced-…` for
/// each record that a repair replaced.
///
/// ```
/// use std::sync::Arc;
/// use maintenance_mode::backend::StateBackend;
/// use maintenance_mode::state::{Epoch, State};
/// use maintenance_mode_object_store::ObjectStoreBackend;
/// use object_store::memory::InMemory;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), maintenance_mode::backend::BackendError> {
/// let backend = ObjectStoreBackend::new(Arc::new(InMemory::new()), "shop/state", "memory of a test");
/// assert_eq!(backend.load().await?, None);
///
/// let mut state = State::new(Epoch::from_bits(1));
/// state.revision = 1;
/// backend.compare_and_set(None, &state).await?;
/// assert_eq!(backend.load().await?, Some(state));
/// # Ok(())
/// # }
/// ```
pub struct ObjectStoreBackend {
    bucket: Bucket,
    keys: Keys,
    /// The last record that was read or written here.
    known: Mutex<Option<Known>>,
    probed: OnceCell<()>,
    marked: OnceCell<()>,
}

#[derive(Debug)]
struct Keys {
    record: Path,
    marker: Path,
    probe: Path,
}

#[derive(Clone, Debug)]
struct Known {
    state: State,
    version: UpdateVersion,
}

impl ObjectStoreBackend {
    /// State in the object `key` of a store of your own. `place` is what messages call it.
    ///
    /// Switch the store's own retries off: this backend tries again where that is safe, and bounds the time.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, key: &str, place: impl Into<String>) -> Self {
        let beside = |ending: &str| Path::from(format!("{key}.{ending}"));
        Self {
            bucket: Bucket {
                store,
                place: place.into(),
                timeout: TIMEOUT,
            },
            keys: Keys {
                record: Path::from(key),
                marker: beside("created"),
                probe: beside("probe"),
            },
            known: Mutex::default(),
            probed: OnceCell::new(),
            marked: OnceCell::new(),
        }
    }

    /// How long a read may take: 3 s when left out. A write whose answer is lost takes up to twice as long, and the
    /// first write of a handle has as long again for the probe and for the marker.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.bucket.timeout = timeout;
        self
    }

    fn known(&self) -> Option<Known> {
        // The record is replaced in one step, so a panic elsewhere cannot leave half of one.
        let known = self.known.lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, state: &State, version: UpdateVersion) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(Known {
            state: state.clone(),
            version,
        });
    }

    /// Reads an object, again after a passing fault while there is time.
    async fn read(
        &self,
        key: &Path,
        known: Option<&str>,
        deadline: Instant,
    ) -> Result<Object, Failure> {
        for _ in 1..READ_TRIES {
            match self.bucket.get(key, known, deadline).await {
                Err(Failure::Trouble(trouble)) if trouble.passing => {
                    if Instant::now() + 2 * READ_PAUSE > deadline {
                        return Err(Failure::Trouble(trouble));
                    }
                    sleep(jittered(READ_PAUSE)).await;
                }
                other => return other,
            }
        }
        self.bucket.get(key, known, deadline).await
    }

    /// The present record, read with authority; what did not change is not sent again.
    async fn present(&self) -> Result<Option<Known>, BackendError> {
        let deadline = self.bucket.deadline();
        let known = self.known();
        let tag = known
            .as_ref()
            .and_then(|known| known.version.e_tag.as_deref());
        match self.read(&self.keys.record, tag, deadline).await {
            Ok(object) => self.decode(&object).map(Some),
            Err(Failure::NotModified) if known.is_some() => Ok(known),
            Err(Failure::Missing) if known.is_some() => Err(self.vanished()),
            Err(Failure::Missing) => self.missing(deadline).await,
            Err(failure) => Err(self.bucket.refused(failure, "reading the state")),
        }
    }

    /// Whether a record that is not there was ever created.
    async fn missing(&self, deadline: Instant) -> Result<Option<Known>, BackendError> {
        match self.read(&self.keys.marker, None, deadline).await {
            Ok(_) => {}
            Err(Failure::Missing) => return Ok(None),
            Err(failure) => return Err(self.bucket.refused(failure, "reading the marker")),
        }
        // The marker is written after the record: both may have been made since the record was looked for.
        match self.read(&self.keys.record, None, deadline).await {
            Ok(object) => self.decode(&object).map(Some),
            Err(Failure::Missing) => Err(self.vanished()),
            Err(failure) => Err(self.bucket.refused(failure, "reading the state")),
        }
    }

    fn vanished(&self) -> BackendError {
        BackendError::Vanished {
            place: self.bucket.place.clone(),
        }
    }

    fn decode(&self, object: &Object) -> Result<Known, BackendError> {
        let Some(bytes) = &object.bytes else {
            return Err(self.bucket.unreadable(format!(
                "the object is larger than any record, {MAX_RECORD_BYTES} bytes"
            )));
        };
        let state = codec::decode(bytes);
        let state = state.map_err(|error| self.bucket.unreadable(error.to_string()))?;
        self.learn(&state, object.version.clone());
        Ok(Known {
            state,
            version: object.version.clone(),
        })
    }

    async fn probed(&self) -> Result<(), BackendError> {
        let probing = || self.bucket.probe(&self.keys.probe);
        self.probed.get_or_try_init(probing).await.copied()
    }

    /// Writes the marker beside a record that is there. Without it a deleted record reads as never created, so
    /// each handle that writes makes sure of it once.
    async fn mark(&self) {
        let marking = || async {
            let mark = new_mark().map_err(Failure::Trouble)?;
            let bytes = Bytes::from_static(MARKER);
            let deadline = self.bucket.deadline();
            let create = PutMode::Create;
            let put = self
                .bucket
                .put(&self.keys.marker, bytes, create, &mark, deadline);
            match put.await {
                Ok(_) | Err(Failure::Changed) => Ok(()),
                Err(failure) => Err(failure),
            }
        };
        if let Err(failure) = self.marked.get_or_try_init(marking).await {
            let error = self.bucket.refused(failure, "writing the marker");
            tracing::warn!(
                "the state is stored; its marker is not, and the next write tries again: {error}"
            );
        }
    }

    /// Keeps what was read at the record's key under another.
    async fn set_aside(&self, old: &Object, deadline: Instant) -> Result<Path, BackendError> {
        let mark = new_mark().map_err(|trouble| self.bucket.unavailable(trouble))?;
        let aside = Path::from(format!("{}.replaced-{mark}", self.keys.record));
        let kept = match &old.bytes {
            Some(bytes) => {
                let put = self
                    .bucket
                    .put(&aside, bytes.clone(), PutMode::Create, &mark, deadline);
                put.await.map(|_| ())
            }
            // Larger than any record, and therefore not read: the store copies it.
            None => self.bucket.copy(&self.keys.record, &aside, deadline).await,
        };
        match kept {
            Ok(()) => Ok(aside),
            Err(failure) => Err(self.bucket.refused(failure, "keeping the old record")),
        }
    }

    /// What a writer is told who found something else than he expected.
    async fn conflict(&self, next: &State, doubtful: bool) -> BackendError {
        let present = match self.present().await {
            Ok(present) => present,
            Err(_) if doubtful => return self.bucket.unknown(UNSEEN),
            Err(error) => return error,
        };
        let lost = present
            .as_ref()
            .is_some_and(|present| present.state.version() == next.version());
        // Whoever is at the same revision came first; whoever is beyond it may have come after this write.
        if doubtful && !lost {
            return self.bucket.unknown(UNSEEN);
        }
        BackendError::Conflict(present.map(|present| Box::new(present.state)))
    }
}

const UNSEEN: &str = "the store's answer was lost, and others have written since; the change may have been stored before theirs";

impl fmt::Debug for ObjectStoreBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The store's own form may show credentials.
        f.debug_struct("ObjectStoreBackend")
            .field("place", &self.bucket.place)
            .field("timeout", &self.bucket.timeout)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl StateBackend for ObjectStoreBackend {
    fn describe(&self) -> String {
        self.bucket.place.clone()
    }

    async fn load(&self) -> Result<Option<State>, BackendError> {
        Ok(self.present().await?.map(|known| known.state))
    }

    async fn compare_and_set(
        &self,
        expected: Option<Version>,
        next: &State,
    ) -> Result<(), BackendError> {
        check_succession(expected, next)?;
        let bytes = Bytes::from(codec::encode(next)?);
        self.probed().await?;
        for _ in 0..ROUNDS {
            // What was read here before will do: if it is not the present record, the store refuses the write.
            let known = self
                .known()
                .filter(|known| Some(known.state.version()) == expected);
            let present = match known {
                Some(known) => Some(known),
                None => self.present().await?,
            };
            if present.as_ref().map(|present| present.state.version()) != expected {
                return Err(BackendError::Conflict(
                    present.map(|present| Box::new(present.state)),
                ));
            }
            let over = present.map_or(Over::Nothing, |present| Over::Version(present.version));
            let deadline = self.bucket.deadline();
            let key = &self.keys.record;
            match self
                .bucket
                .replace(key, bytes.clone(), &over, deadline)
                .await
            {
                Ok(version) => {
                    self.learn(next, version);
                    self.mark().await;
                    return Ok(());
                }
                Err(NotStored::Failed(error)) => return Err(error),
                Err(NotStored::Changed { doubtful }) => {
                    match self.conflict(next, doubtful).await {
                        // The same record under another ETag: somebody copied it onto itself.
                        BackendError::Conflict(Some(present))
                            if Some(present.version()) == expected => {}
                        error => return Err(error),
                    }
                }
            }
        }
        let what =
            "the object changes at every try without a new revision; something else writes to it";
        Err(self.bucket.unavailable(Trouble::certain(what)))
    }

    async fn repair(&self, next: &State) -> Result<Option<String>, BackendError> {
        let bytes = Bytes::from(codec::encode(next)?);
        self.probed().await?;
        for _ in 0..ROUNDS {
            let deadline = self.bucket.deadline();
            let found = match self.read(&self.keys.record, None, deadline).await {
                Ok(object) => Some(object),
                Err(Failure::Missing) => None,
                Err(failure) => return Err(self.bucket.refused(failure, "reading the state")),
            };
            let old = found.as_ref().and_then(|object| self.decode(object).ok());
            check_repair(old.map(|old| old.state.version()), next)?;
            let aside = match &found {
                Some(object) => Some(self.set_aside(object, deadline).await?),
                None => None,
            };
            let over = found.map_or(Over::Nothing, |object| Over::Version(object.version));
            let key = &self.keys.record;
            match self
                .bucket
                .replace(key, bytes.clone(), &over, deadline)
                .await
            {
                Ok(version) => {
                    self.learn(next, version);
                    self.mark().await;
                    return Ok(aside.map(|aside| {
                        format!("the old record is kept in the same bucket as {aside}")
                    }));
                }
                Err(NotStored::Failed(error)) => return Err(error),
                Err(NotStored::Changed { doubtful: true }) => {
                    return Err(self.bucket.unknown(UNSEEN));
                }
                // Somebody wrote meanwhile; what he wrote is kept too.
                Err(NotStored::Changed { doubtful: false }) => {}
            }
        }
        let what = "others write at every try; stop them, or try again";
        Err(self.bucket.unavailable(Trouble::certain(what)))
    }

    async fn subscribe(&self) -> Result<Box<dyn Hints>, BackendError> {
        Err(BackendError::Unsupported {
            backend: "an object store",
            what: "hint at changes; they are seen by polling, every `state.poll_seconds`",
        })
    }

    fn presence(&self) -> Result<Arc<dyn PresenceBackend>, BackendError> {
        Err(BackendError::Unsupported {
            backend: "an object store",
            what: "keep leases of sessions, tasks and instances, which are renewed every second; keep the state in \
                   Redis, a database or NATS where they are wanted",
        })
    }
}
