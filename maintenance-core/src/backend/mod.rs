//! Where state lives.
//!
//! A [`StateBackend`] loads the record, sets it if nobody else did in the meantime, and hints that it
//! may have changed. Hints are never truth: they cause a read. A request never waits for a backend;
//! only the watcher of [`crate::live`] and the control verbs call one.

use std::fmt;

use async_trait::async_trait;

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
    /// The caller's record does not follow the one before.
    #[error("revision {got} cannot follow {expected}")]
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
