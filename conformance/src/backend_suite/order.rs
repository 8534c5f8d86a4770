//! Compare-and-set: epoch, revision, conflict.

use maintenance_mode::backend::BackendError;
use maintenance_mode::state::Version;

use super::records::{advance, after, create, expect, first};
use super::{Broken, Harness, broken};
use crate::ensure;

/// Nothing was ever stored: `None`, not an error, and reading does not change that.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_new_store_was_never_configured(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    for _ in 0..3 {
        let found = place.open().await?.load().await?;
        ensure!(found.is_none(), "a new store has a record: {found:?}");
    }
    Ok(())
}

/// Of sixteen that create the record at the same time one succeeds; the others are shown its record.
///
/// # Errors
///
/// The promise was not kept.
pub async fn one_of_many_creators_wins(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (backend, state) = (place.open().await?, first());
        tasks.spawn(async move {
            let result = backend.compare_and_set(None, &state).await;
            (state, result)
        });
    }
    let (mut winners, mut shown) = (Vec::new(), Vec::new());
    for (state, result) in tasks.join_all().await {
        match result {
            Ok(()) => winners.push(state),
            Err(BackendError::Conflict(Some(present))) => shown.push(*present),
            Err(other) => return Err(broken(format!("a creator got no conflict but: {other}"))),
        }
    }
    ensure!(winners.len() == 1, "{} creators succeeded", winners.len());
    ensure!(
        shown.iter().all(|state| *state == winners[0]),
        "a conflict shows a record that nobody stored"
    );
    expect(&*place.open().await?, &winners[0]).await
}

/// Whoever reads while the first record is being made finds nothing or the record, and no error.
///
/// # Errors
///
/// The promise was not kept.
pub async fn readers_of_the_first_record_find_no_half_of_it(
    harness: &dyn Harness,
) -> Result<(), Broken> {
    for _ in 0..10 {
        let place = harness.place().await?;
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let backend = place.open().await?;
            readers.spawn(async move {
                loop {
                    match backend.load().await {
                        Ok(Some(state)) => return Ok(state),
                        Ok(None) => tokio::task::yield_now().await,
                        Err(error) => return Err(error),
                    }
                }
            });
        }
        let state = create(&*place.open().await?).await?;
        for found in readers.join_all().await {
            ensure!(found? == state, "a reader found another record");
        }
    }
    Ok(())
}

/// Whoever is too late gets the record that is there, and changes nothing.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_conflict_shows_the_present_record(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let (fast, slow) = (place.open().await?, place.open().await?);
    let state = create(&*fast).await?;
    let known = slow.load().await?;
    ensure!(
        known.as_ref() == Some(&state),
        "the other handle does not see the first record"
    );
    let newer = advance(&*fast, &state).await?;
    for expected in [Some(state.version()), None] {
        let next = if expected.is_some() {
            after(&state)
        } else {
            first()
        };
        match slow.compare_and_set(expected, &next).await {
            Err(BackendError::Conflict(Some(present))) => {
                ensure!(
                    *present == newer,
                    "the conflict shows {}",
                    present.version()
                );
            }
            other => {
                return Err(broken(format!(
                    "no conflict with the present record: {other:?}"
                )));
            }
        }
    }
    expect(&*slow, &newer).await
}

/// Updating a record that never was is a conflict with nothing.
///
/// # Errors
///
/// The promise was not kept.
pub async fn nothing_cannot_be_updated(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let backend = place.open().await?;
    let imagined = first();
    let result = backend
        .compare_and_set(Some(imagined.version()), &after(&imagined))
        .await;
    ensure!(
        matches!(result, Err(BackendError::Conflict(None))),
        "no conflict with nothing: {result:?}"
    );
    let found = backend.load().await?;
    ensure!(found.is_none(), "a refused update left a record");
    Ok(())
}

/// The right revision of the wrong epoch is refused, and a record cannot change its epoch.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_wrong_epoch_is_refused(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let backend = place.open().await?;
    let state = create(&*backend).await?;
    let stranger = first();
    let result = backend
        .compare_and_set(Some(stranger.version()), &after(&stranger))
        .await;
    ensure!(
        matches!(&result, Err(BackendError::Conflict(Some(present))) if **present == state),
        "the same revision of another epoch is no conflict: {result:?}"
    );
    let mut moved = after(&state);
    moved.epoch = stranger.epoch;
    let result = backend.compare_and_set(Some(state.version()), &moved).await;
    ensure!(
        matches!(result, Err(BackendError::Invalid { .. })),
        "an update may change the epoch: {result:?}"
    );
    expect(&*backend, &state).await
}

/// Only the next revision may be stored; the first is 1; the last has none after it.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_revision_follows_the_one_before(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let backend = place.open().await?;
    for revision in [0, 2, u64::MAX] {
        let mut state = first();
        state.revision = revision;
        let result = backend.compare_and_set(None, &state).await;
        ensure!(
            matches!(result, Err(BackendError::Invalid { .. })),
            "the first revision may be {revision}: {result:?}"
        );
    }
    let state = create(&*backend).await?;
    for revision in [0, 1, 3, u64::MAX] {
        let mut next = after(&state);
        next.revision = revision;
        let result = backend.compare_and_set(Some(state.version()), &next).await;
        ensure!(
            matches!(result, Err(BackendError::Invalid { .. })),
            "{revision} may follow 1: {result:?}"
        );
    }
    let last = Version {
        revision: u64::MAX,
        ..state.version()
    };
    let mut wrapped = state.clone();
    wrapped.revision = 0;
    let result = backend.compare_and_set(Some(last), &wrapped).await;
    ensure!(
        matches!(result, Err(BackendError::Invalid { .. })),
        "0 may follow the last revision: {result:?}"
    );
    expect(&*backend, &state).await
}

/// After `Ok`, old handles, new handles and the writer itself read the new record.
///
/// # Errors
///
/// The promise was not kept.
pub async fn what_was_stored_is_read_by_everybody(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let (writer, other) = (place.open().await?, place.open().await?);
    let mut state = create(&*writer).await?;
    for _ in 0..20 {
        expect(&*writer, &state).await?;
        expect(&*other, &state).await?;
        expect(&*place.open().await?, &state).await?;
        state = advance(&*writer, &state).await?;
    }
    expect(&*other, &state).await
}
