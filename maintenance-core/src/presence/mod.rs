//! Signs of life: who is inside, what is running, which instances there are.
//!
//! A *lease* is a named, expiring sign of life. Its owner renews it; when he dies, it ends by itself. One
//! form serves three kinds: a visitor's session, a running task, an instance of the application. A
//! [`PresenceBackend`] keeps leases; it is reached by [`StateBackend::presence`], so that one URL names
//! both.
//!
//! A lease's time is counted by the store's own clock, so that instances whose clocks differ agree on who
//! is alive.
//!
//! [`StateBackend::presence`]: crate::backend::StateBackend::presence

mod instance;
mod lease;
mod memory;
mod wait;

pub use instance::{Instance, InstanceReport, REMEMBERED_FOR, SILENT_AFTER, Standing, instances};
pub use lease::{Held, Holder, Lease, LeaseError, LeaseKey, LeaseKind, LeaseName, MAX_NOTE_BYTES};
pub use memory::MemoryPresence;
pub use wait::{Waited, wait_until_settled};

use std::fmt;

use async_trait::async_trait;

use crate::backend::BackendError;
use crate::state::SiteName;

/// A place where leases live. `conformance/` holds the suite that every backend passes.
///
/// No request ever waits for one: the instance collects what is to be renewed and writes about once a
/// second.
#[async_trait]
pub trait PresenceBackend: fmt::Debug + Send + Sync + 'static {
    /// The backend's URL without secrets, for people.
    fn describe(&self) -> String;

    /// Begins leases or renews them; each lasts [`Lease::lasts`] from now. A lease of another holder that
    /// has not ended is left as it is, and its key is returned. Of leases with the same key in one batch
    /// the last counts.
    ///
    /// The notes of renewed leases are replaced; the moment in which a lease began stays.
    ///
    /// # Errors
    ///
    /// The store cannot be reached or refuses; then any number of the leases may have been renewed.
    async fn renew(&self, leases: &[Lease]) -> Result<Vec<LeaseKey>, BackendError>;

    /// Ends leases of this holder at once. Those that have ended, or belong to others, are left alone.
    ///
    /// # Errors
    ///
    /// The store cannot be reached or refuses; the leases end by themselves then.
    async fn release(&self, holder: Holder, keys: &[LeaseKey]) -> Result<(), BackendError>;

    /// How many leases of a kind live now, of one site or of all.
    ///
    /// # Errors
    ///
    /// The store cannot be reached or refuses: never zero because nothing could be read.
    async fn count(&self, kind: LeaseKind, site: Option<&SiteName>) -> Result<u64, BackendError>;

    /// The living leases of a kind, of one site or of all, oldest first, at most `most`.
    ///
    /// # Errors
    ///
    /// The store cannot be reached or refuses: never an empty list because nothing could be read.
    async fn list(
        &self,
        kind: LeaseKind,
        site: Option<&SiteName>,
        most: usize,
    ) -> Result<Vec<Held>, BackendError>;
}
