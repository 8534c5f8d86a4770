//! The record in its bucket.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use maintenance_mode::backend::{
    BackendError, Hints, StateBackend, check_repair, check_succession,
};
use maintenance_mode::presence::PresenceBackend;
use maintenance_mode::state::{State, Version, codec};

use crate::bucket::{Bucket, Found, Use};
use crate::hints;
use crate::options::NatsOptions;
use crate::presence::NatsPresence;
use crate::session::{Link, Session};
use crate::trouble::{NO_STREAM, Trouble, WRONG_SEQUENCE};

/// A record that is replaced this often while one call tries to write has too many writers.
const MOST_TRIES: usize = 8;

/// State in a key of a JetStream key-value bucket. Clones share one connection.
///
/// Nothing is sent before the first use; a lost connection is made anew at the next.
#[derive(Clone)]
pub struct NatsBackend {
    shared: Arc<Shared>,
}

struct Shared {
    link: Arc<Link>,
    bucket: Bucket,
    presence: NatsPresence,
    /// The record was read or written here; if it is not there, it has vanished.
    seen: AtomicBool,
    /// The entry that tells a vanished record from none is known to be there.
    marked: AtomicBool,
}

/// What is under the record's key.
enum Present {
    Never,
    Gone { sequence: u64 },
    Here { sequence: u64, bytes: Vec<u8> },
}

impl NatsBackend {
    /// A backend that will connect when it is first used.
    ///
    /// # Errors
    ///
    /// The options cannot be used.
    pub fn new(options: NatsOptions) -> Result<Self, BackendError> {
        options.check().map_err(|what| BackendError::Unavailable {
            place: options.place(),
            what,
            source: None,
        })?;
        let bucket = Bucket::new(options.bucket.clone(), Use::State, options.replicas);
        let link = Arc::new(Link::new(options));
        Ok(Self {
            shared: Arc::new(Shared {
                presence: NatsPresence::new(Arc::clone(&link)),
                link,
                bucket,
                seen: AtomicBool::new(false),
                marked: AtomicBool::new(false),
            }),
        })
    }
}

impl fmt::Debug for NatsBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NatsBackend")
            .field(&self.shared.place())
            .finish()
    }
}

impl Shared {
    fn place(&self) -> &str {
        &self.link.place
    }

    fn key(&self) -> &str {
        &self.link.options.key
    }

    /// The key that says that there was a record once.
    fn mark(&self) -> String {
        format!("{}.made", self.key())
    }

    async fn session(&self) -> Result<Arc<Session>, BackendError> {
        self.link
            .session()
            .await
            .map_err(|trouble| trouble.reading(self.place()))
    }

    fn read<T>(&self, result: Result<T, Trouble>) -> Result<T, BackendError> {
        result.map_err(|trouble| trouble.reading(self.place()))
    }

    fn written<T>(&self, result: Result<T, Trouble>) -> Result<T, BackendError> {
        result.map_err(|trouble| trouble.writing(self.place()))
    }

    fn vanished(&self) -> BackendError {
        BackendError::Vanished {
            place: self.place().to_owned(),
        }
    }

    fn understood(&self, bytes: &[u8]) -> Result<State, BackendError> {
        let decoded = if self.link.options.lenient {
            codec::decode_lenient(bytes)
        } else {
            codec::decode(bytes)
        };
        decoded.map_err(|error| BackendError::Unreadable {
            place: self.place().to_owned(),
            why: error.to_string(),
        })
    }

    /// What is there, asked of the leader.
    async fn present(&self, session: &Session) -> Result<Present, Trouble> {
        let found = self.bucket.last(session, self.key()).await?;
        if let Some(present) = self.entry(found) {
            return Ok(present);
        }
        if self.seen.load(Ordering::Relaxed) {
            return Ok(Present::Gone { sequence: 0 });
        }
        if !matches!(
            self.bucket.last(session, &self.mark()).await?,
            Found::Entry(_)
        ) {
            return Ok(Present::Never);
        }
        // There was a record once. If it is younger than the first look, it is here now.
        let found = self.bucket.last(session, self.key()).await?;
        Ok(self.entry(found).unwrap_or(Present::Gone { sequence: 0 }))
    }

    fn entry(&self, found: Found) -> Option<Present> {
        let Found::Entry(entry) = found else {
            return None;
        };
        self.seen.store(true, Ordering::Relaxed);
        Some(if entry.deleted {
            Present::Gone {
                sequence: entry.sequence,
            }
        } else {
            Present::Here {
                sequence: entry.sequence,
                bytes: entry.data,
            }
        })
    }

    /// Leaves the mark. The record was stored before, so that a mark without a record always tells of a loss.
    async fn leave_mark(&self, session: &Session) {
        if self.marked.load(Ordering::Relaxed) {
            return;
        }
        let text = "there is a record beside this key; if it is missing, it was deleted\n";
        match self.bucket.put(session, &self.mark(), text, Some(0)).await {
            Ok(_) => self.marked.store(true, Ordering::Relaxed),
            Err(trouble) if trouble.is(WRONG_SEQUENCE) => {
                self.marked.store(true, Ordering::Relaxed);
            }
            // The record counts all the same, and the next write tries again.
            Err(trouble) => tracing::warn!(
                "{}: the mark that tells a vanished record from none is missing: {}",
                self.place(),
                trouble.reading(self.place())
            ),
        }
    }

    fn busy(&self) -> BackendError {
        BackendError::Unavailable {
            place: self.place().to_owned(),
            what: "the record was replaced again and again while this was to be stored; try again"
                .to_owned(),
            source: None,
        }
    }

    /// Keeps what lies there under a key of its own and says which.
    async fn keep(
        &self,
        session: &Session,
        sequence: u64,
        bytes: Vec<u8>,
    ) -> Result<String, BackendError> {
        let key = format!("{}.replaced.{sequence}", self.key());
        match self.bucket.put(session, &key, bytes, Some(0)).await {
            Ok(_) => {}
            // A repair before this one got so far; the number is of these bytes alone.
            Err(trouble) if trouble.is(WRONG_SEQUENCE) => {}
            other => {
                self.written(other)?;
            }
        }
        Ok(format!(
            "the old record is kept as the key `{key}`: `nats kv get {} {key} --raw`",
            self.bucket.name
        ))
    }
}

#[async_trait]
impl StateBackend for NatsBackend {
    fn describe(&self) -> String {
        self.shared.place().to_owned()
    }

    async fn load(&self) -> Result<Option<State>, BackendError> {
        let this = &*self.shared;
        let session = this.session().await?;
        match this.read(this.present(&session).await)? {
            Present::Never => Ok(None),
            Present::Gone { .. } => Err(this.vanished()),
            Present::Here { bytes, .. } => this.understood(&bytes).map(Some),
        }
    }

    async fn compare_and_set(
        &self,
        expected: Option<Version>,
        next: &State,
    ) -> Result<(), BackendError> {
        check_succession(expected, next)?;
        let bytes = bytes::Bytes::from(codec::encode(next)?);
        let this = &*self.shared;
        let session = this.session().await?;
        for _ in 0..MOST_TRIES {
            let sequence = match this.read(this.present(&session).await)? {
                Present::Gone { .. } => return Err(this.vanished()),
                Present::Never if expected.is_some() => return Err(BackendError::Conflict(None)),
                Present::Never => {
                    this.read(this.bucket.ensure(&session).await)?;
                    0
                }
                Present::Here { sequence, bytes } => {
                    let present = this.understood(&bytes)?;
                    if Some(present.version()) != expected {
                        return Err(BackendError::Conflict(Some(Box::new(present))));
                    }
                    sequence
                }
            };
            let put = this
                .bucket
                .put(&session, this.key(), bytes.clone(), Some(sequence));
            match put.await {
                Ok(_) => {
                    this.seen.store(true, Ordering::Relaxed);
                    this.leave_mark(&session).await;
                    return Ok(());
                }
                // Somebody was faster, or the bucket went in the meantime; what is there now decides.
                Err(trouble) if trouble.is(WRONG_SEQUENCE) || trouble.is(NO_STREAM) => {}
                Err(trouble) => return Err(trouble.writing(this.place())),
            }
        }
        Err(this.busy())
    }

    async fn repair(&self, next: &State) -> Result<Option<String>, BackendError> {
        let bytes = bytes::Bytes::from(codec::encode(next)?);
        let this = &*self.shared;
        let session = this.session().await?;
        for _ in 0..MOST_TRIES {
            this.read(this.bucket.ensure(&session).await)?;
            let (sequence, old) = match this.read(this.present(&session).await)? {
                Present::Never => (0, None),
                Present::Gone { sequence } => (sequence, None),
                Present::Here { sequence, bytes } => (sequence, Some(bytes)),
            };
            let readable = old.as_deref().and_then(|old| this.understood(old).ok());
            check_repair(readable.map(|state| state.version()), next)?;
            let kept = match old {
                Some(old) => Some(this.keep(&session, sequence, old).await?),
                None => None,
            };
            let put = this
                .bucket
                .put(&session, this.key(), bytes.clone(), Some(sequence));
            match put.await {
                Ok(_) => {
                    this.seen.store(true, Ordering::Relaxed);
                    this.leave_mark(&session).await;
                    return Ok(kept);
                }
                Err(trouble) if trouble.is(WRONG_SEQUENCE) || trouble.is(NO_STREAM) => {}
                Err(trouble) => return Err(trouble.writing(this.place())),
            }
        }
        Err(this.busy())
    }

    async fn subscribe(&self) -> Result<Box<dyn Hints>, BackendError> {
        let this = &*self.shared;
        let session = this.session().await?;
        // An empty bucket in the place of a lost one would make new instances take it for a new beginning.
        if this.seen.load(Ordering::Relaxed)
            && let Found::NoBucket = this.read(this.bucket.last(&session, this.key()).await)?
        {
            return Err(this.vanished());
        }
        this.read(this.bucket.ensure(&session).await)?;
        let watch = hints::watch(&session, &this.bucket, this.key()).await;
        Ok(Box::new(this.read(watch)?))
    }

    fn presence(&self) -> Result<Arc<dyn PresenceBackend>, BackendError> {
        Ok(Arc::new(self.shared.presence.clone()))
    }
}
