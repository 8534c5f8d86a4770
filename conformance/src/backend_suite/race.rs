//! Many writers and readers at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use maintenance_mode::backend::{BackendError, StateBackend};

use super::records::{after, count, create};
use super::{Broken, Harness, broken};
use crate::ensure;

/// Accepted writes are the final revision, each of them counts, and no reader sees a revision fall. Of each writer's
/// tries, one in ten may find the store too busy.
///
/// # Errors
///
/// The promise was not kept.
pub async fn no_update_is_lost(harness: &dyn Harness) -> Result<(), Broken> {
    let (place, load) = (harness.place().await?, harness.load());
    let backend = place.open().await?;
    create(&*backend).await?;
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..load.readers {
        readers.spawn(read_until(place.open().await?, Arc::clone(&done)));
    }
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..load.writers {
        writers.spawn(write(place.open().await?, load.tries));
    }
    let mut accepted = 0;
    let mut first_fault = Ok(());
    for result in writers.join_all().await {
        match result {
            Ok(n) => accepted += n,
            Err(fault) => first_fault = Err(fault),
        }
    }
    done.store(true, Ordering::Relaxed);
    for result in readers.join_all().await {
        ensure!(result? > 0, "a reader never read");
    }
    first_fault?;
    let end = backend
        .load()
        .await?
        .ok_or_else(|| broken("the record is gone"))?;
    ensure!(
        accepted * 2 >= load.tries as u64,
        "only {accepted} writes were accepted"
    );
    ensure!(
        end.revision == accepted + 1 && count(&end) == accepted,
        "{accepted} writes were accepted after the first; the revision is {} and {} of them count",
        end.revision,
        count(&end)
    );
    Ok(())
}

async fn write(backend: Arc<dyn StateBackend>, tries: usize) -> Result<u64, Broken> {
    let (mut accepted, mut busy) = (0, 0);
    let mut known = backend
        .load()
        .await?
        .ok_or_else(|| broken("the record is gone"))?;
    for _ in 0..tries {
        let next = after(&known);
        match backend.compare_and_set(Some(known.version()), &next).await {
            Ok(()) => {
                accepted += 1;
                known = next;
            }
            Err(BackendError::Conflict(Some(present))) => {
                ensure!(
                    present.epoch == known.epoch && present.revision > known.revision,
                    "a conflict of {} with {}",
                    known.version(),
                    present.version()
                );
                known = *present;
            }
            // Too busy: nothing was changed, which the sum at the end shows.
            Err(BackendError::Unavailable { .. }) if busy < tries / 10 => busy += 1,
            Err(other) => return Err(other.into()),
        }
        tokio::task::yield_now().await;
    }
    Ok(accepted)
}

async fn read_until(backend: Arc<dyn StateBackend>, done: Arc<AtomicBool>) -> Result<u64, Broken> {
    let (mut reads, mut last) = (0, 0);
    loop {
        let finished = done.load(Ordering::Relaxed);
        let state = backend
            .load()
            .await?
            .ok_or_else(|| broken("a reader found nothing"))?;
        ensure!(
            state.revision >= last,
            "a reader saw revision {} after {last}",
            state.revision
        );
        ensure!(
            count(&state) + 1 == state.revision,
            "revision {} has the content of {}",
            state.revision,
            count(&state) + 1
        );
        last = state.revision;
        reads += 1;
        if finished {
            return Ok(reads);
        }
        tokio::task::yield_now().await;
    }
}
