//! Where state lives.
//!
//! A [`StateBackend`] loads the record, sets it if nobody else did in the meantime, and hints that it
//! may have changed. Hints are never truth: they cause a read. A request never waits for a backend;
//! only the watcher of [`crate::live`] and the control verbs call one.

#[cfg(unix)]
pub mod file;
mod hint;
mod memory;
mod registry;
mod url;

#[cfg(unix)]
pub use file::{FileBackend, FileOptions};
pub use hint::{HintReceiver, HintSender};
pub use memory::MemoryBackend;
pub use registry::{BackendRegistry, Opener, open_builtin};
pub use url::{BackendUrl, BackendUrlError};

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::presence::PresenceBackend;
use crate::state::codec::EncodeError;
use crate::state::{State, Version};

/// A place where state lives. `conformance/` holds the suite that every backend passes.
#[async_trait]
pub trait StateBackend: fmt::Debug + Send + Sync + 'static {
    /// The backend's URL without secrets, for people: `file:/var/lib/site/state.json`.
    fn describe(&self) -> String;

    /// Reads the record with authority. `None` means that it was never created.
    ///
    /// # Errors
    ///
    /// Unreachable, unreadable or vanished: never "off".
    async fn load(&self) -> Result<Option<State>, BackendError>;

    /// Stores `next` if the record still is at `expected` (`None`: does not exist yet).
    ///
    /// The caller has set `next`'s epoch and revision: the same epoch and the next revision, or, for a
    /// record that does not exist yet, any epoch and revision 1. A backend refuses anything else as
    /// [`BackendError::Invalid`]. After `Ok`, a [`load`](Self::load) by anybody gives `next` or something later.
    ///
    /// # Errors
    ///
    /// [`BackendError::Conflict`] with the present record if somebody else was faster;
    /// [`BackendError::Unknown`] if it cannot be told whether the write counts; otherwise nothing was changed.
    async fn compare_and_set(
        &self,
        expected: Option<Version>,
        next: &State,
    ) -> Result<(), BackendError>;

    /// Puts `next` in the place of whatever is there, readable or not, with a new epoch and revision 1,
    /// and keeps what was there where an operator can find it.
    ///
    /// Returns a sentence that says where the old record went, if there was one.
    ///
    /// # Errors
    ///
    /// As [`compare_and_set`](Self::compare_and_set), without conflicts.
    async fn repair(&self, next: &State) -> Result<Option<String>, BackendError>;

    /// Subscribes to hints. When this returns, everything that happens later is hinted at, as far as
    /// the backend can; the caller reads once after it.
    ///
    /// # Errors
    ///
    /// The backend cannot hint now; the caller polls and tries again.
    async fn subscribe(&self) -> Result<Box<dyn Hints>, BackendError>;

    /// Where leases live that belong to this state: in the same store, reached in the same way.
    ///
    /// # Errors
    ///
    /// [`BackendError::Unsupported`] from a backend that keeps none, as every backend does that does not
    /// say otherwise; it never pretends.
    fn presence(&self) -> Result<Arc<dyn PresenceBackend>, BackendError> {
        Err(BackendError::Unsupported {
            backend: "this backend",
            what: "keep leases of sessions, tasks and instances; use a file, a database, Redis or NATS",
        })
    }
}

/// A subscription. Dropping it ends it.
#[async_trait]
pub trait Hints: fmt::Debug + Send {
    /// Waits until something may have changed. `None`: the subscription is over; subscribe again and read.
    async fn next(&mut self) -> Option<()>;
}

/// What went wrong with a backend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// Somebody else was faster; here is what is stored now.
    #[error("somebody else changed the state in the meantime (now at revision {})", .0.as_ref().map_or(0, |s| s.revision))]
    Conflict(Option<Box<State>>),
    /// The record is there and cannot be understood. Never read as "off".
    #[error(
        "{place}: {why}; `maintenance repair` puts a good record in its place and keeps the old one beside it"
    )]
    Unreadable {
        /// Where.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// The record was there and is gone.
    #[error("{place}: was there before and has vanished; `maintenance repair` makes a new one")]
    Vanished {
        /// Where.
        place: String,
    },
    /// The backend cannot be reached or refuses the operation; nothing was changed.
    #[error("{place}: {what}")]
    Unavailable {
        /// Where.
        place: String,
        /// What failed, and the cure where one is known.
        what: String,
        /// The cause.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The backend's place is not safe to use: a link, a foreign owner, a folder that everyone may write.
    #[error("{place}: {why}")]
    Unsafe {
        /// Where.
        place: String,
        /// What is unsafe, and the cure.
        why: String,
    },
    /// Whether the write counts cannot be told; read before you go on.
    #[error(
        "{place}: it is not known whether the change was stored: {why}; run `maintenance status`"
    )]
    Unknown {
        /// Where.
        place: String,
        /// What failed.
        why: String,
    },
    /// The state cannot be stored; nothing was changed.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The URL names no backend that can be opened here.
    #[error(transparent)]
    Url(#[from] BackendUrlError),
    /// The caller's record does not follow the one before.
    #[error("the record {got} cannot be stored here; it would have to be {expected}")]
    Invalid {
        /// What would have been right.
        expected: String,
        /// What was given.
        got: String,
    },
    /// The backend cannot do this at all.
    #[error("{backend} cannot {what}")]
    Unsupported {
        /// Which backend.
        backend: &'static str,
        /// What was asked.
        what: &'static str,
    },
}

/// Whether `next` may be stored over `expected`: the same epoch and the next revision, or revision 1 of any epoch
/// where nothing was. Every backend asks this before it touches its store.
///
/// # Errors
///
/// [`BackendError::Invalid`] otherwise.
pub fn check_succession(expected: Option<Version>, next: &State) -> Result<(), BackendError> {
    let (fits, wanted) = match expected {
        None => (next.revision == 1, "revision 1 of any epoch".to_owned()),
        Some(old) => match old.revision.checked_add(1) {
            Some(revision) => {
                let wanted = Version { revision, ..old };
                (next.version() == wanted, wanted.to_string())
            }
            None => (false, "in a new epoch, after a repair".to_owned()),
        },
    };
    if fits {
        Ok(())
    } else {
        Err(BackendError::Invalid {
            expected: wanted,
            got: next.version().to_string(),
        })
    }
}

/// Whether `next` may be stored by [`StateBackend::repair`]: revision 1 of an epoch that `present` does not have.
///
/// # Errors
///
/// [`BackendError::Invalid`] otherwise.
pub fn check_repair(present: Option<Version>, next: &State) -> Result<(), BackendError> {
    if next.revision == 1 && present.is_none_or(|old| old.epoch != next.epoch) {
        Ok(())
    } else {
        Err(BackendError::Invalid {
            expected: "revision 1 of a new epoch".to_owned(),
            got: next.version().to_string(),
        })
    }
}
