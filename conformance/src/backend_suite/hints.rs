//! Hints: they come in time, and nothing hangs on them.

use std::time::Duration;

use maintenance_mode::backend::{Hints, StateBackend};

use super::records::{advance, create, expect, first};
use super::{Broken, Harness, broken};
use crate::ensure;

fn bound(harness: &dyn Harness) -> Result<Duration, Broken> {
    harness
        .abilities()
        .hints_within
        .ok_or_else(|| broken("the harness has no bound for hints"))
}

/// Reads after each hint until `revision` shows.
async fn hinted(
    hints: &mut dyn Hints,
    backend: &dyn StateBackend,
    revision: u64,
    within: Duration,
) -> Result<(), Broken> {
    let wait = async {
        loop {
            if hints.next().await.is_none() {
                return Err(broken("the subscription ended although nothing was wrong"));
            }
            if backend
                .load()
                .await?
                .is_some_and(|state| state.revision >= revision)
            {
                return Ok(());
            }
        }
    };
    match tokio::time::timeout(within, wait).await {
        Ok(result) => result,
        Err(_) => Err(broken(format!(
            "no hint at revision {revision} within {within:?}"
        ))),
    }
}

/// Whoever subscribed before there was a record hears of the first.
///
/// # Errors
///
/// The promise was not kept.
pub async fn the_first_record_is_hinted_at(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let (writer, listener) = (place.open().await?, place.open().await?);
    let mut hints = listener.subscribe().await?;
    create(&*writer).await?;
    hinted(&mut *hints, &*listener, 1, bound(harness)?).await
}

/// Every change by another handle is hinted at within the bound.
///
/// # Errors
///
/// The promise was not kept.
pub async fn every_change_is_hinted_at(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let (writer, listener) = (place.open().await?, place.open().await?);
    let mut state = create(&*writer).await?;
    let mut hints = listener.subscribe().await?;
    for _ in 0..20 {
        state = advance(&*writer, &state).await?;
        hinted(&mut *hints, &*listener, state.revision, bound(harness)?).await?;
    }
    Ok(())
}

/// Changes that happen while the subscriber does something else are hinted at when it comes back, and a
/// wait that was given up loses none.
///
/// # Errors
///
/// The promise was not kept.
pub async fn changes_while_nobody_waits_are_hinted_at(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let (writer, listener) = (place.open().await?, place.open().await?);
    let mut state = create(&*writer).await?;
    let mut hints = listener.subscribe().await?;
    for wait in [0, 1, 3, 10] {
        for _ in 0..5 {
            state = advance(&*writer, &state).await?;
            let _ = tokio::time::timeout(Duration::from_millis(wait), hints.next()).await;
        }
        state = advance(&*writer, &state).await?;
        hinted(&mut *hints, &*listener, state.revision, bound(harness)?).await?;
    }
    Ok(())
}

/// A repair is a change like any other.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_repair_is_hinted_at(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let (writer, listener) = (place.open().await?, place.open().await?);
    create(&*writer).await?;
    let mut hints = listener.subscribe().await?;
    let next = first();
    writer.repair(&next).await?;
    hinted(&mut *hints, &*listener, 1, bound(harness)?).await?;
    expect(&*listener, &next).await
}

/// A handle without a subscription, or with a dropped one, reads the newest record all the same.
///
/// # Errors
///
/// The promise was not kept.
pub async fn nobody_needs_hints(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let (writer, reader) = (place.open().await?, place.open().await?);
    let state = create(&*writer).await?;
    expect(&*reader, &state).await?;
    match (reader.subscribe().await, harness.abilities().hints_within) {
        (Ok(hints), Some(_)) => drop(hints),
        (Err(_), None) => {}
        (Ok(_), None) => {
            return Err(broken(
                "the harness says that there are no hints, and there are",
            ));
        }
        (Err(error), Some(_)) => return Err(error.into()),
    }
    let newer = advance(&*writer, &state).await?;
    expect(&*reader, &newer).await?;
    ensure!(
        newer.revision == 2,
        "revision {} after two writes",
        newer.revision
    );
    Ok(())
}
