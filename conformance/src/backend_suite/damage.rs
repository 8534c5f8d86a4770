//! Records that are unreadable or lost, and repairs.

use maintenance_mode::backend::{BackendError, StateBackend};
use maintenance_mode::state::State;

use super::records::{advance, after, create, expect, first};
use super::{Broken, Harness, broken};
use crate::ensure;

/// Fails unless reading and every way of writing but a repair says what `is_right` accepts.
async fn refuses(
    backend: &dyn StateBackend,
    old: &State,
    is_right: fn(&BackendError) -> bool,
) -> Result<(), Broken> {
    match backend.load().await {
        Err(error) if is_right(&error) => {}
        other => return Err(broken(format!("reading it gives {other:?}"))),
    }
    for (expected, next) in [(None, first()), (Some(old.version()), after(old))] {
        match backend.compare_and_set(expected, &next).await {
            Err(error) if is_right(&error) => {}
            other => {
                return Err(broken(format!(
                    "writing over it ({expected:?}) gives {other:?}"
                )));
            }
        }
    }
    Ok(())
}

/// An unreadable record is an error for old and new handles, and is not written over.
///
/// # Errors
///
/// The promise was not kept.
pub async fn an_unreadable_record_is_not_off(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let backend = place.open().await?;
    let state = create(&*backend).await?;
    place.corrupt().await?;
    let is_right = |error: &BackendError| matches!(error, BackendError::Unreadable { .. });
    refuses(&*backend, &state, is_right).await?;
    refuses(&*place.open().await?, &state, is_right).await
}

/// A vanished record is an error for old and new handles; only a repair makes a new one.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_vanished_record_is_not_off(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let backend = place.open().await?;
    let state = create(&*backend).await?;
    place.vanish().await?;
    let is_right = |error: &BackendError| matches!(error, BackendError::Vanished { .. });
    refuses(&*backend, &state, is_right).await?;
    refuses(&*place.open().await?, &state, is_right).await?;
    let next = first();
    place.open().await?.repair(&next).await?;
    expect(&*backend, &next).await?;
    advance(&*place.open().await?, &next).await?;
    Ok(())
}

/// A repair puts a good record in the place of an unreadable one, which can still be found.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_repair_keeps_the_unreadable_record(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let backend = place.open().await?;
    create(&*backend).await?;
    for _ in 0..3 {
        let old = place.corrupt().await?;
        let next = first();
        let sentence = backend
            .repair(&next)
            .await?
            .ok_or_else(|| broken("a repair does not say where the old record went"))?;
        ensure!(
            place.keeps(&old, &sentence).await?,
            "the old record is not where the repair says: {sentence}"
        );
        expect(&*place.open().await?, &next).await?;
        let newer = advance(&*backend, &next).await?;
        expect(&*place.open().await?, &newer).await?;
    }
    Ok(())
}

/// A repair of a readable record needs a new epoch and revision 1, and says where the old one went; a
/// writer who knows the old record meets a conflict.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_repair_begins_a_new_epoch(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let backend = place.open().await?;
    let created = create(&*backend).await?;
    let state = advance(&*backend, &created).await?;
    let mut second = first();
    second.revision = 2;
    for wrong in [created, after(&state), second] {
        let result = backend.repair(&wrong).await;
        ensure!(
            matches!(result, Err(BackendError::Invalid { .. })),
            "a repair may store {} over {}: {result:?}",
            wrong.version(),
            state.version()
        );
        expect(&*backend, &state).await?;
    }
    let next = first();
    let sentence = place.open().await?.repair(&next).await?;
    ensure!(
        sentence.is_some(),
        "a repair does not say where the old record went"
    );
    expect(&*backend, &next).await?;
    let late = backend
        .compare_and_set(Some(state.version()), &after(&state))
        .await;
    ensure!(
        matches!(&late, Err(BackendError::Conflict(Some(present))) if **present == next),
        "a writer from before the repair gets {late:?}"
    );
    Ok(())
}

/// Where nothing was, a repair makes the first record and has nothing to keep.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_repair_may_be_the_first_record(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let next = first();
    let sentence = place.open().await?.repair(&next).await?;
    ensure!(
        sentence.is_none(),
        "there was nothing to keep, and the repair says: {sentence:?}"
    );
    expect(&*place.open().await?, &next).await
}
