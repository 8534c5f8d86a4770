//! A mode for the time of a block, and everything back as it was afterwards.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use super::control::random_activation;
use super::{ControlError, Maintenance, now};
use crate::state::{Activation, ActivationId, Mode, SiteName, SiteState};

/// A forced mode. Give it back with [`end`](Self::end), which says whether that worked; a guard that is
/// dropped puts the mode back in a task of its own, and says in the log if it could not.
///
/// If somebody else switches the site meanwhile, his switch stands.
#[derive(Debug)]
#[must_use = "the mode is put back when the guard goes"]
pub struct Forced {
    maintenance: Maintenance,
    site: SiteName,
    before: Option<SiteState>,
    forced: Option<ActivationId>,
}

impl Forced {
    pub(super) async fn begin(
        maintenance: &Maintenance,
        site: &SiteName,
        mode: Mode,
    ) -> Result<Self, ControlError> {
        let forced = match mode {
            Mode::Online => None,
            _ => Some(random_activation()?),
        };
        let now = now();
        let before = Arc::new(Mutex::new(SiteState::default()));
        let seen = Arc::clone(&before);
        let changed = maintenance
            .control()
            .replace(site, "forced for a block", now, move |present| {
                present.clone_into(&mut seen.lock().unwrap_or_else(PoisonError::into_inner));
                force_state(
                    present,
                    mode,
                    forced.map(|id| Activation { id, since: now }),
                )
            })
            .await?;
        let before = before
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let guard = Self {
            maintenance: maintenance.clone(),
            site: site.clone(),
            before: Some(before),
            forced,
        };
        maintenance.catch_up(&changed).await;
        Ok(guard)
    }

    /// Puts everything back.
    ///
    /// # Errors
    ///
    /// The mode could not be put back; the site stays in the forced one.
    pub async fn end(mut self) -> Result<(), ControlError> {
        // Taken out only afterwards: if this future is dropped half-way, the guard's drop goes on with it.
        if let Some(before) = self.before.clone() {
            restore(&self.maintenance, &self.site, &before, self.forced).await?;
            self.before = None;
        }
        Ok(())
    }
}

impl Drop for Forced {
    fn drop(&mut self) {
        let Some(before) = self.before.take() else {
            return;
        };
        let (maintenance, site, forced) =
            (self.maintenance.clone(), self.site.clone(), self.forced);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    if let Err(error) = restore(&maintenance, &site, &before, forced).await {
                        tracing::error!(%site, "the forced mode could not be put back: {error}");
                    }
                });
            }
            Err(_) => tracing::error!(%site, "the forced mode could not be put back: no runtime"),
        }
    }
}

fn force_state(present: &SiteState, mode: Mode, activation: Option<Activation>) -> SiteState {
    let mut forced = SiteState {
        mode,
        activation,
        ..present.clone()
    };
    if mode == Mode::Online {
        forced.windows = present
            .windows
            .iter()
            .map(|window| window.clone().enabled(false))
            .collect();
    }
    forced
}

async fn restore(
    maintenance: &Maintenance,
    site: &SiteName,
    before: &SiteState,
    forced: Option<ActivationId>,
) -> Result<(), ControlError> {
    let changed = maintenance
        .control()
        .restore(site, before, forced, now())
        .await?;
    for note in &changed.notes {
        tracing::warn!("{note}");
    }
    maintenance.catch_up(&changed).await;
    Ok(())
}

pub(super) async fn force<F: Future>(
    maintenance: &Maintenance,
    site: &SiteName,
    mode: Mode,
    block: F,
) -> Result<F::Output, ControlError> {
    let guard = Forced::begin(maintenance, site, mode).await?;
    let mut block = pin!(block);
    let outcome = std::future::poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| block.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await;
    let ended = guard.end().await;
    match outcome {
        Ok(output) => ended.map(|()| output),
        Err(panic) => {
            if let Err(error) = ended {
                tracing::error!(%site, "the forced mode could not be put back: {error}");
            }
            resume_unwind(panic)
        }
    }
}
