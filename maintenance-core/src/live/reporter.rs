//! The task that says, about once a second, that this instance lives and where it stands.
//!
//! No request ever waits for it. A store that cannot be written makes this instance silent to others; it
//! goes on deciding.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::guardian::Guardian;
use super::{Shared, now};
use crate::presence::{
    Holder, InstanceReport, Lease, LeaseKey, LeaseKind, PresenceBackend, REMEMBERED_FOR,
};
use crate::snapshot::Snapshot;
use crate::state::SiteName;

/// How often an instance speaks when nothing happens.
const EVERY: Duration = Duration::from_secs(1);

/// How often it looks whether its requests from before a change have ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Longer than any renewal may take.
const RENEW_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Reporter {
    shared: Weak<Shared>,
    presence: Arc<dyn PresenceBackend>,
    holder: Holder,
    key: LeaseKey,
    about: InstanceReport,
    guardian: Guardian,
    published: watch::Receiver<Arc<Snapshot>>,
    ended: watch::Receiver<()>,
}

impl Reporter {
    /// `None` if the operating system has no random numbers, without which an instance has no name.
    pub(super) fn new(
        shared: &Arc<Shared>,
        presence: Arc<dyn PresenceBackend>,
        ended: watch::Receiver<()>,
    ) -> Option<Self> {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).ok()?;
        let holder = Holder::from_bits(u128::from_le_bytes(bits));
        let key = LeaseKey {
            kind: LeaseKind::Instance,
            site: SiteName::default(),
            name: holder.to_string().parse().ok()?,
        };
        Some(Self {
            shared: Arc::downgrade(shared),
            presence,
            holder,
            key,
            about: about_this_process(),
            guardian: Guardian::default(),
            published: shared.published.subscribe(),
            ended,
        })
    }

    /// Speaks until the last handle is gone, then takes leave.
    pub(super) async fn run(mut self) {
        let mut heard = true;
        while let Some(report) = self.report() {
            let outcome = self.renew(&report).await;
            match (&outcome, heard) {
                (Err(why), true) => tracing::warn!(
                    "this instance cannot say that it lives, so others will not know where it stands: {why}"
                ),
                (Ok(()), false) => tracing::info!("this instance is heard again"),
                _ => {}
            }
            heard = outcome.is_ok();
            self.guard().await;
            if self.wait(&report).await {
                break;
            }
        }
        let keys = [self.key.clone()];
        // Whoever cannot take leave is remembered as silent.
        let _ = timeout(RENEW_WITHIN, self.presence.release(self.holder, &keys)).await;
    }

    async fn guard(&mut self) {
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let state = shared.cell.load().state().map(Arc::clone);
        let control = shared.control.clone();
        drop(shared);
        if let Some(state) = state {
            let look = self.guardian.look(&state, &*self.presence, &control, now());
            // Nothing is lost when it takes too long: it is looked again in a second.
            let _ = timeout(RENEW_WITHIN, look).await;
        }
    }

    /// What is to be said now; `None` when the last handle is gone.
    fn report(&self) -> Option<InstanceReport> {
        let shared = self.shared.upgrade()?;
        let health = shared.health();
        let read_ms_ago = health.last_read.map(|at| at.elapsed().as_millis());
        let error = health.error.clone();
        drop(health);
        let shown = shared.cell.load();
        Some(InstanceReport {
            applied: shown.state().map(|state| state.version()),
            settled: shared.in_flight.settled(),
            in_flight: shared.in_flight.count(),
            upgraded: shared.in_flight.upgraded(),
            read_ms_ago: read_ms_ago.map(|ms| u64::try_from(ms).unwrap_or(u64::MAX)),
            error: error.map(|text| text.chars().take(300).collect()),
            ..self.about.clone()
        })
    }

    async fn renew(&self, report: &InstanceReport) -> Result<(), String> {
        let note = serde_json::to_string(report).map_err(|error| error.to_string())?;
        let lease = Lease::new(self.key.clone(), self.holder, REMEMBERED_FOR)
            .and_then(|lease| lease.with_note(note))
            .map_err(|error| error.to_string())?;
        match timeout(RENEW_WITHIN, self.presence.renew(&[lease])).await {
            Ok(Ok(refused)) if refused.is_empty() => Ok(()),
            Ok(Ok(_)) => Err("another instance has the same name".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} s", RENEW_WITHIN.as_secs())),
        }
    }

    /// Until there is something to say: a new state, requests of before it that have ended, or a second.
    /// `true`: the last handle is gone.
    async fn wait(&mut self, said: &InstanceReport) -> bool {
        let until = Instant::now() + EVERY;
        loop {
            let look = if said.settled == said.applied {
                until.saturating_duration_since(Instant::now())
            } else {
                LOOK_EVERY
            };
            tokio::select! {
                biased;
                _ = self.ended.changed() => return true,
                changed = self.published.changed() => return changed.is_err(),
                () = sleep(look) => {}
            }
            let Some(shared) = self.shared.upgrade() else {
                return true;
            };
            if Instant::now() >= until || shared.in_flight.settled() != said.settled {
                return false;
            }
        }
    }
}

fn about_this_process() -> InstanceReport {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(std::path::Path::file_name);
    InstanceReport {
        host: host(),
        process: std::process::id(),
        program: name.map_or_else(
            || "an unknown program".to_owned(),
            |name| name.to_string_lossy().chars().take(64).collect(),
        ),
        ..InstanceReport::default()
    }
}

#[cfg(unix)]
fn host() -> String {
    let names = rustix::system::uname();
    names.nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}
