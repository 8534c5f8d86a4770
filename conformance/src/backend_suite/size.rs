//! Large records.

use maintenance_mode::backend::BackendError;
use maintenance_mode::state::codec::{EncodeError, MAX_RECORD_BYTES};
use maintenance_mode::state::{Message, SiteName, SiteNameError};

use super::records::{after, create, expect, large};
use super::{Broken, Harness};
use crate::ensure;

impl From<SiteNameError> for Broken {
    fn from(error: SiteNameError) -> Self {
        Self(error.to_string())
    }
}

/// A full log, 200 windows and long messages come back as they were.
///
/// # Errors
///
/// The promise was not kept.
pub async fn a_large_state_comes_back_whole(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let backend = place.open().await?;
    let state = large()?;
    backend.compare_and_set(None, &state).await?;
    expect(&*place.open().await?, &state).await?;
    let next = after(&state);
    backend
        .compare_and_set(Some(state.version()), &next)
        .await?;
    expect(&*place.open().await?, &next).await
}

/// More than the limit is refused, and the record stays.
///
/// # Errors
///
/// The promise was not kept.
pub async fn an_overlarge_state_is_refused(harness: &dyn Harness) -> Result<(), Broken> {
    let place = harness.place().await?;
    let backend = place.open().await?;
    let state = create(&*backend).await?;
    let mut next = after(&state);
    let message = Message::new("x".repeat(4096))?;
    for n in 0..MAX_RECORD_BYTES / 4096 {
        let name: SiteName = format!("site-{n}").parse()?;
        next.site_mut(&name).message = Some(message.clone());
    }
    let result = backend.compare_and_set(Some(state.version()), &next).await;
    ensure!(
        matches!(result, Err(BackendError::Encode(EncodeError::TooLarge(_)))),
        "an overlarge record is not refused as such: {result:?}"
    );
    expect(&*place.open().await?, &state).await
}
