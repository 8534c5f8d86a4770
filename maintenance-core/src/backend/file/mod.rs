//! State in a file of one machine.
//!
//! ```text
//! /var/lib/site/                    0700, of the service's user (0750 or 2770 to share with a group)
//!     state.json                    the record; see `state::codec`
//!     state.json.lock               writers lock it; it holds the writer's process id
//!     state.json.initialised        there was a record once: a missing one is noticed
//!     state.json.broken-1795212000  what `maintenance repair` replaced
//!     .state.json.0123….tmp         being written, or left by a writer that was killed
//!     state.json.leases/            sessions, tasks and instances, if any; see `presence::FilePresence`
//! ```
//!
//! Readers take no lock: a record is replaced in one step. Network file systems are read, not written,
//! because their locks cannot be relied upon.

pub(crate) mod disk;
#[cfg(test)]
pub(crate) mod faults;
mod lock;
pub(crate) mod place;
mod read;
mod repair;
mod sweep;
#[cfg(feature = "watch")]
mod watch;
pub(crate) mod write;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::task::JoinError;

use self::disk::{Disk, RealDisk};
use self::place::Place;
use super::{BackendError, Hints, StateBackend};
use crate::presence::{FilePresence, PresenceBackend};
use crate::state::{State, Version};

/// How a file backend behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileOptions {
    /// Whether symbolic links are followed, as a Kubernetes `ConfigMap` needs it. The record can then only be read.
    pub follow_links: bool,
    /// Whether JSON without a header line is read; see [`crate::state::codec::decode_lenient`].
    pub lenient: bool,
    /// A user, besides root and the process's own, whose folder and files are believed.
    pub owner: Option<u32>,
    /// How long a writer waits for the lock. Default: 5 s.
    pub lock_timeout: Duration,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            follow_links: false,
            lenient: false,
            owner: None,
            lock_timeout: Duration::from_secs(5),
        }
    }
}

impl FileOptions {
    /// Sets [`follow_links`](Self::follow_links).
    #[must_use]
    pub const fn follow_links(mut self, follow: bool) -> Self {
        self.follow_links = follow;
        self
    }

    /// Sets [`lenient`](Self::lenient).
    #[must_use]
    pub const fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    /// Sets [`owner`](Self::owner).
    #[must_use]
    pub const fn owner(mut self, uid: u32) -> Self {
        self.owner = Some(uid);
        self
    }

    /// Sets [`lock_timeout`](Self::lock_timeout).
    #[must_use]
    pub const fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }
}

/// State in a file of one machine, for any number of processes.
///
/// ```
/// use maintenance_mode::backend::{FileBackend, FileOptions, StateBackend};
/// use maintenance_mode::state::{Epoch, State};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("state.json");
/// let backend = FileBackend::open(&path, FileOptions::default())?;
/// assert_eq!(backend.load().await?, None);
///
/// let mut state = State::new(Epoch::from_bits(1));
/// state.revision = 1;
/// backend.compare_and_set(None, &state).await?;
/// assert_eq!(backend.load().await?, Some(state));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FileBackend {
    store: Arc<Store>,
    /// One for all clones, since it writes a file of its own.
    presence: Arc<OnceLock<FilePresence>>,
}

/// The blocking half.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) place: Place,
    pub(crate) options: FileOptions,
    /// Whether this process has ever read the record here.
    seen: AtomicBool,
    /// When leftovers were last looked for.
    swept: Mutex<Option<Instant>>,
}

impl Store {
    pub(crate) const fn new(place: Place, options: FileOptions, disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            place,
            options,
            seen: AtomicBool::new(false),
            swept: Mutex::new(None),
        }
    }

    /// Whether this process has ever read the record here.
    pub(crate) fn seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }
}

impl FileBackend {
    /// A backend for the record at `path`. Neither the file nor its folder need exist; the folder above must,
    /// by the time of the first write.
    ///
    /// # Errors
    ///
    /// The path names no file, or the folder exists and is not safe: a link, a foreign owner, writable by everyone.
    pub fn open(path: impl AsRef<Path>, options: FileOptions) -> Result<Self, BackendError> {
        let backend = Self::on_disk(path.as_ref(), options, Arc::new(RealDisk))?;
        match backend.store.folder() {
            Err(error @ BackendError::Unsafe { .. }) => Err(error),
            // Anything else may be better by the time it is read.
            _ => Ok(backend),
        }
    }

    pub(crate) fn on_disk(
        path: &Path,
        options: FileOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, BackendError> {
        Ok(Self {
            store: Arc::new(Store::new(Place::new(path)?, options, disk)),
            presence: Arc::default(),
        })
    }

    /// Runs a blocking call where it may block. `Err`: the runtime is shutting down, or the call panicked.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Store) -> Result<T, BackendError> + Send + 'static,
    ) -> Result<Result<T, BackendError>, JoinError> {
        let store = Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || call(&store)).await
    }

    async fn reading<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Store) -> Result<T, BackendError> + Send + 'static,
    ) -> Result<T, BackendError> {
        let gave_up = |error| {
            self.store
                .place
                .failed("finish the call", &io::Error::other(error))
        };
        self.blocking(call).await.map_err(gave_up)?
    }

    async fn writing<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Store) -> Result<T, BackendError> + Send + 'static,
    ) -> Result<T, BackendError> {
        let gave_up = |error: JoinError| self.store.place.unknown(error.to_string());
        self.blocking(call).await.map_err(gave_up)?
    }
}

#[async_trait]
impl StateBackend for FileBackend {
    fn describe(&self) -> String {
        self.store.place.describe()
    }

    async fn load(&self) -> Result<Option<State>, BackendError> {
        self.reading(Store::load).await
    }

    async fn compare_and_set(
        &self,
        expected: Option<Version>,
        next: &State,
    ) -> Result<(), BackendError> {
        let next = next.clone();
        self.writing(move |store| store.compare_and_set(expected, &next))
            .await
    }

    async fn repair(&self, next: &State) -> Result<Option<String>, BackendError> {
        let next = next.clone();
        self.writing(move |store| store.repair(&next)).await
    }

    fn presence(&self) -> Result<Arc<dyn PresenceBackend>, BackendError> {
        if let Some(known) = self.presence.get() {
            return Ok(Arc::new(known.clone()));
        }
        let opened = FilePresence::beside(&self.store)?;
        Ok(Arc::new(self.presence.get_or_init(|| opened).clone()))
    }

    #[cfg(feature = "watch")]
    async fn subscribe(&self) -> Result<Box<dyn Hints>, BackendError> {
        Ok(Box::new(self.reading(Store::watch).await?))
    }

    #[cfg(not(feature = "watch"))]
    async fn subscribe(&self) -> Result<Box<dyn Hints>, BackendError> {
        Err(BackendError::Unsupported {
            backend: "the file backend",
            what: "watch for changes, because it was built without the feature `watch`; changes are seen by polling",
        })
    }
}
