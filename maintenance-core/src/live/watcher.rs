//! The task that follows a backend.
//!
//! It reads at the start, after each subscription, after each hint, after each end of a subscription,
//! when a control verb asks, and when the poll interval has passed. One read is under way at a time.
//! Nothing in here is ever waited for by a request.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::{Shared, now};
use crate::backend::{BackendError, Hints, StateBackend};
use crate::policy::Policy;
use crate::policy::config::{Initial, OnStale};
use crate::state::{Activation, ActivationId, Epoch, Mode, State, decode, encode};

/// While the state cannot be read, it is tried this often, so that the return of a backend is seen soon.
const RETRY: Duration = Duration::from_secs(1);

/// Longer than any read or subscription may take.
const BACKEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Hints cause at most ten reads a second.
const HINT_PAUSE: Duration = Duration::from_millis(100);

/// Restart and resubscription wait between these two.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

#[derive(Debug)]
pub(super) struct Watcher {
    shared: Weak<Shared>,
    backend: Arc<dyn StateBackend>,
    policy: Arc<Policy>,
    keeper: Option<PathBuf>,
    kick: Arc<Notify>,
    ended: watch::Receiver<()>,
}

impl Watcher {
    pub(super) fn new(
        shared: &Arc<Shared>,
        keeper: Option<PathBuf>,
        kick: Arc<Notify>,
        ended: watch::Receiver<()>,
    ) -> Self {
        Self {
            shared: Arc::downgrade(shared),
            backend: Arc::clone(shared.control.backend()),
            policy: Arc::clone(shared.control.policy()),
            keeper,
            kick,
            ended,
        }
    }

    /// Reads before the handle is given out, so that the first request is decided by the stored state.
    pub(super) async fn first_read(&self, shared: &Shared) -> Result<(), BackendError> {
        match self.load().await {
            Ok(state) => {
                apply(shared, state);
                self.keep(shared).await;
                Ok(())
            }
            Err(error) => {
                note_failure(shared, &error);
                match self.last_known_good().await {
                    Some(state) => {
                        tracing::warn!(
                            revision = state.revision,
                            "started from the last known good state"
                        );
                        shared.publish(Some(state));
                    }
                    None => tracing::error!(
                        initial = ?self.policy.config().state.initial,
                        "the state could not be read at the start; `state.initial` holds until it can"
                    ),
                }
                Err(error)
            }
        }
    }

    /// Follows until the last handle is gone. A panic in a backend is survived.
    pub(super) async fn run(self) {
        let this = Arc::new(self);
        let mut pause = BACK_OFF.0;
        loop {
            let following = tokio::spawn({
                let this = Arc::clone(&this);
                async move { this.follow().await }
            });
            match following.await {
                Ok(()) => return,
                Err(error) => tracing::error!("the watcher stopped and is started again: {error}"),
            }
            let Some(shared) = this.shared.upgrade() else {
                return;
            };
            shared.health().restarts += 1;
            drop(shared);
            sleep(jittered(pause)).await;
            pause = (pause * 2).min(BACK_OFF.1);
        }
    }

    async fn follow(&self) {
        let mut ended = self.ended.clone();
        let mut hints: Option<Box<dyn Hints>> = None;
        let mut resubscribe_pause = BACK_OFF.0;
        let mut resubscribe_at = Instant::now();
        let mut was_readable = true;
        loop {
            if hints.is_none() && Instant::now() >= resubscribe_at {
                match timeout(BACKEND_TIMEOUT, self.backend.subscribe()).await {
                    Ok(Ok(subscription)) => {
                        hints = Some(subscription);
                        resubscribe_pause = BACK_OFF.0;
                    }
                    outcome => {
                        tracing::debug!(?outcome, "no hints; polling");
                        resubscribe_at = Instant::now() + jittered(resubscribe_pause);
                        resubscribe_pause = (resubscribe_pause * 2).min(BACK_OFF.1);
                    }
                }
            }
            let Some(readable) = self.read_and_apply().await else {
                return;
            };
            if readable && !was_readable {
                resubscribe_pause = BACK_OFF.0;
                resubscribe_at = Instant::now();
            }
            was_readable = readable;
            let mut pause = self.next_look();
            if !readable {
                pause = pause.min(jittered(RETRY));
            }
            if hints.is_none() {
                pause = pause.min(resubscribe_at.saturating_duration_since(Instant::now()));
            }
            let until_poll = sleep(pause);
            tokio::select! {
                biased;
                _ = ended.changed() => return,
                () = self.kick.notified() => {}
                hint = next_hint(&mut hints) => {
                    if hint.is_none() {
                        tracing::debug!("the subscription ended");
                        hints = None;
                        resubscribe_at = Instant::now();
                    }
                }
                () = until_poll => {}
            }
        }
    }

    /// The poll interval, or sooner if a window begins or ends before: the answers for it are then ready.
    fn next_look(&self) -> Duration {
        let poll = jittered(self.policy.poll_interval());
        let Some(shared) = self.shared.upgrade() else {
            return poll;
        };
        let now = now();
        let turn = shared
            .cell
            .load()
            .next_turn(now)
            .map(|turn| now.until(turn));
        turn.map_or(poll, |turn| poll.min(turn.max(Duration::from_millis(1))))
    }

    /// Says whether the state could be read. `None`: the last handle is gone.
    async fn read_and_apply(&self) -> Option<bool> {
        let began = Instant::now();
        let outcome = self.load().await;
        let shared = self.shared.upgrade()?;
        let readable = outcome.is_ok();
        match outcome {
            Ok(state) => {
                if apply(&shared, state) {
                    self.keep(&shared).await;
                }
            }
            Err(error) => {
                note_failure(&shared, &error);
                self.apply_staleness(&shared);
            }
        }
        shared.cell.settle(now());
        drop(shared);
        let spent = began.elapsed();
        if spent < HINT_PAUSE {
            // A burst of hints costs one more read, and not one each.
            sleep(HINT_PAUSE.checked_sub(spent).unwrap_or_default() / 10).await;
        }
        Some(readable)
    }

    async fn load(&self) -> Result<Option<State>, BackendError> {
        match timeout(BACKEND_TIMEOUT, self.backend.load()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(BackendError::Unavailable {
                place: self.backend.describe(),
                what: format!("no answer within {} s", BACKEND_TIMEOUT.as_secs()),
                source: None,
            }),
        }
    }

    fn apply_staleness(&self, shared: &Shared) {
        let settings = &self.policy.config().state;
        let mode = match settings.on_stale {
            OnStale::Keep => return,
            OnStale::Online => Mode::Online,
            OnStale::Offline => Mode::Offline,
        };
        let last_read = shared.health().last_read;
        let stale = last_read.is_some_and(|at| at.elapsed() > 3 * self.policy.poll_interval());
        let shown = shared.cell.load();
        let applied = shown.state().is_some_and(|state| is_made_up(state));
        if stale && !applied {
            tracing::error!(%mode, "the state is stale; `state.on_stale` holds until it can be read again");
            shared.publish(Some(made_up_state(&self.policy, mode)));
        }
    }

    async fn keep(&self, shared: &Shared) {
        let Some(file) = self.keeper.clone() else {
            return;
        };
        let Some(state) = shared.cell.load().state().map(Arc::clone) else {
            return;
        };
        let written = tokio::task::spawn_blocking(move || keep_in(&file, &state)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!("the last known good state could not be kept: {error}");
        }
    }

    async fn last_known_good(&self) -> Option<State> {
        let file = self.keeper.clone()?;
        let bytes = tokio::task::spawn_blocking(move || std::fs::read(file))
            .await
            .ok()?
            .ok()?;
        decode(&bytes)
            .map_err(|error| tracing::error!("the last known good state is unreadable: {error}"))
            .ok()
    }
}

async fn next_hint(hints: &mut Option<Box<dyn Hints>>) -> Option<()> {
    match hints {
        Some(hints) => hints.next().await,
        None => std::future::pending().await,
    }
}

fn keep_in(file: &std::path::Path, state: &State) -> std::io::Result<()> {
    use std::io::Write;
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut temporary =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(std::path::Path::new(".")))?;
    let bytes = encode(state).map_err(std::io::Error::other)?;
    temporary.write_all(&bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(file)?;
    Ok(())
}

/// Applies what was read, if it is newer. Says whether anything changed.
fn apply(shared: &Shared, read: Option<State>) -> bool {
    {
        let mut health = shared.health();
        if health.error.take().is_some() {
            tracing::info!("the state can be read again");
        }
        health.last_read = Some(Instant::now());
        health.reads += 1;
    }
    let shown = shared.cell.load();
    let present = shown.state().filter(|state| !is_made_up(state));
    match (present, &read) {
        (None, None) if shown.state().is_none() => return false,
        (Some(present), Some(read)) if present.epoch == read.epoch => {
            if read.revision < present.revision {
                tracing::warn!(
                    read = read.revision,
                    present = present.revision,
                    "an older revision was read and is not applied"
                );
            }
            if read.revision <= present.revision {
                return false;
            }
        }
        (Some(present), Some(read)) => tracing::warn!(
            old = %present.version(), new = %read.version(),
            "the stored state was reset: a new record, a restored backup or a flushed store"
        ),
        (Some(present), None) => {
            let error = format!(
                "the stored state is gone (was at {}); the last known one holds",
                present.version()
            );
            let mut health = shared.health();
            if health.error.as_deref() != Some(error.as_str()) {
                tracing::error!("{error}");
            }
            health.error = Some(error);
            return false;
        }
        (None, _) => {}
    }
    drop(shown);
    shared.publish(read);
    true
}

fn note_failure(shared: &Shared, error: &BackendError) {
    let text = error.to_string();
    let mut health = shared.health();
    if health.error.as_deref() != Some(text.as_str()) {
        tracing::error!("the state could not be read; the last known one holds: {text}");
    }
    health.error = Some(text);
}

/// What holds before anything could be read.
pub(super) fn initial_state(policy: &Policy) -> Option<State> {
    match policy.config().state.initial {
        Initial::Online | Initial::RefuseStart => None,
        Initial::Offline => Some(made_up_state(policy, Mode::Offline)),
    }
}

/// A state that no backend holds: it gives way to anything that is read.
const MADE_UP: Epoch = Epoch::from_bits(0);

const fn is_made_up(state: &State) -> bool {
    state.revision == 0
}

fn made_up_state(policy: &Policy, mode: Mode) -> State {
    let mut state = State::new(MADE_UP);
    for name in policy.site_names() {
        let site = state.site_mut(name);
        site.mode = mode;
        site.activation = (mode != Mode::Online).then(|| Activation {
            id: ActivationId::from_bits(0),
            since: now(),
        });
    }
    state
}

/// Plus or minus a fifth, so that many instances do not read at once.
fn jittered(duration: Duration) -> Duration {
    let mut bits = [0; 2];
    // Without random bits the wait is the plain one.
    let share =
        getrandom::fill(&mut bits).map_or(0.5, |()| f64::from(u16::from_le_bytes(bits)) / 65_536.0);
    duration.mul_f64(0.8 + 0.4 * share)
}
