//! The server's death and return.

use std::time::{Duration, Instant};

use maintenance_mode::backend::{BackendError, StateBackend};
use maintenance_mode::state::State;

use super::records::{advance, after, create, expect};
use super::{Broken, Harness, broken};
use crate::ensure;

fn bound(harness: &dyn Harness) -> Result<Duration, Broken> {
    let bound = harness.abilities().server_back_within;
    bound.ok_or_else(|| broken("the harness has no bound for the server's return"))
}

/// Reads until the server answers.
async fn reached(backend: &dyn StateBackend, within: Duration) -> Result<State, Broken> {
    let start = Instant::now();
    loop {
        match backend.load().await {
            Ok(Some(state)) => return Ok(state),
            Ok(None) => return Err(broken("after the server's return the record is gone")),
            Err(error) if start.elapsed() > within => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// A dead server is an error, never "off" and never success; when it is back the same handle works.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_dead_server_is_an_error_and_comes_back(harness: &dyn Harness) -> Result<(), Broken> {
    let within = bound(harness)?;
    let place = harness.place().await?;
    let backend = place.open().await?;
    let state = create(&*backend).await?;
    place.stop_server().await?;
    let call = async {
        (
            backend.load().await,
            backend
                .compare_and_set(Some(state.version()), &after(&state))
                .await,
        )
    };
    let Ok((read, written)) = tokio::time::timeout(within, call).await else {
        return Err(broken(format!(
            "calls hang for more than {within:?} while the server is dead"
        )));
    };
    ensure!(read.is_err(), "reading from a dead server gives {read:?}");
    ensure!(
        matches!(
            written,
            Err(BackendError::Unavailable { .. } | BackendError::Unknown { .. })
        ),
        "writing to a dead server gives {written:?}"
    );
    place.start_server().await?;
    let found = reached(&*backend, within).await?;
    ensure!(
        found == state
            || (found == after(&state) && matches!(written, Err(BackendError::Unknown { .. }))),
        "after its return the server has {}, and {} was stored",
        found.version(),
        state.version()
    );
    let newer = advance(&*backend, &found).await?;
    expect(&*place.open().await?, &newer).await
}

/// A subscription from before the server's death either hints at changes after its return, or has ended.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_subscription_survives_or_ends(harness: &dyn Harness) -> Result<(), Broken> {
    let within = bound(harness)?;
    let place = harness.place().await?;
    let (writer, listener) = (place.open().await?, place.open().await?);
    create(&*writer).await?;
    let Ok(mut hints) = listener.subscribe().await else {
        ensure!(
            harness.abilities().hints_within.is_none(),
            "a backend with hints refuses a subscription"
        );
        return Ok(());
    };
    place.stop_server().await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    place.start_server().await?;
    let found = reached(&*writer, within).await?;
    let newer = advance(&*writer, &found).await?;
    let wait = async {
        while hints.next().await.is_some() {
            if listener
                .load()
                .await
                .is_ok_and(|state| state.as_ref() == Some(&newer))
            {
                return Ok::<_, Broken>(());
            }
        }
        let mut hints = listener.subscribe().await?;
        let newest = advance(&*writer, &newer).await?;
        while hints.next().await.is_some() {
            if listener.load().await?.as_ref() == Some(&newest) {
                return Ok(());
            }
        }
        Err(broken("a new subscription ended at once"))
    };
    tokio::time::timeout(within, wait).await.map_err(|_| {
        broken(format!(
            "the subscription neither ended nor hinted within {within:?}"
        ))
    })?
}
