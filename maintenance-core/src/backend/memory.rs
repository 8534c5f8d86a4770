//! State in this process's memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{BackendError, HintSender, Hints, StateBackend, check_repair, check_succession};
use crate::presence::{MemoryPresence, PresenceBackend};
use crate::state::{State, Version, codec};

/// State for tests and for programs of one process; it ends with the process. Clones share the record.
///
/// ```
/// use maintenance_mode::backend::{MemoryBackend, StateBackend};
/// use maintenance_mode::state::{Epoch, State};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), maintenance_mode::backend::BackendError> {
/// let backend = MemoryBackend::new();
/// assert_eq!(backend.load().await?, None);
///
/// let mut state = State::new(Epoch::from_bits(1));
/// state.revision = 1;
/// backend.compare_and_set(None, &state).await?;
/// assert_eq!(backend.load().await?, Some(state));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryBackend {
    record: Arc<Mutex<Option<State>>>,
    hints: HintSender,
    presence: MemoryPresence,
}

impl MemoryBackend {
    /// A store of its own, with no record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn record(&self) -> MutexGuard<'_, Option<State>> {
        // The record is replaced in one step, so a panic elsewhere cannot leave half of one.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl StateBackend for MemoryBackend {
    fn describe(&self) -> String {
        "memory: (of this process only; no other process sees it, and it ends with this one)"
            .to_owned()
    }

    async fn load(&self) -> Result<Option<State>, BackendError> {
        Ok(self.record().clone())
    }

    async fn compare_and_set(
        &self,
        expected: Option<Version>,
        next: &State,
    ) -> Result<(), BackendError> {
        check_succession(expected, next)?;
        // The limits of stored records hold here too, so that tests meet them.
        codec::encode(next)?;
        let mut record = self.record();
        if record.as_ref().map(State::version) != expected {
            return Err(BackendError::Conflict(record.clone().map(Box::new)));
        }
        *record = Some(next.clone());
        drop(record);
        self.hints.hint();
        Ok(())
    }

    async fn repair(&self, next: &State) -> Result<Option<String>, BackendError> {
        codec::encode(next)?;
        let mut record = self.record();
        check_repair(record.as_ref().map(State::version), next)?;
        let old = record.replace(next.clone());
        drop(record);
        self.hints.hint();
        match old.map(|old| codec::encode(&old)).transpose()? {
            // Memory has no place where an operator could look, so the answer itself keeps the record.
            Some(old) => Ok(Some(format!(
                "the old record was:\n{}",
                String::from_utf8_lossy(&old)
            ))),
            None => Ok(None),
        }
    }

    async fn subscribe(&self) -> Result<Box<dyn Hints>, BackendError> {
        Ok(Box::new(self.hints.subscribe(Duration::ZERO)))
    }

    fn presence(&self) -> Result<Arc<dyn PresenceBackend>, BackendError> {
        Ok(Arc::new(self.presence.clone()))
    }
}
