//! The live switch: a policy, a backend that is followed, and a snapshot that every request can ask.
//!
//! A request never waits for a backend and never fails because of one. The watcher task alone reads; it
//! publishes a new [`Snapshot`] when the state has changed, and requests see it at their next look.

mod cell;
mod changes;
mod control;
mod force;
mod guardian;
mod in_flight;
mod judgement;
mod reporter;
mod status;
mod visitor_fns;
mod watcher;

pub use changes::Changes;
pub use control::{Author, Changed, Control, ControlError, Off, On};
pub use force::Forced;
pub use guardian::OWNER_MISSED_AFTER;
pub use in_flight::{InFlight, InFlightGuard};
pub use judgement::{Judgement, Pass};
pub use status::{Freshness, SiteStatus, Status};
pub use visitor_fns::{RequestFn, VisitorFns};

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Notify, watch};

use crate::backend::{BackendError, BackendRegistry, StateBackend};
use crate::decision::{Allow, Decision, Reason};
use crate::explain::Explanation;
use crate::policy::config::{Initial, process_environment};
use crate::policy::{Complaints, Config, Policy, PolicyBuilder};
use crate::presence::PresenceBackend;
use crate::request::Facts;
use crate::snapshot::Snapshot;
use crate::state::{Change, Mode, SiteName, State};
use crate::time::Timestamp;
use cell::Cell;

/// The live switch. Cheap to clone; the last clone that is dropped ends the watcher.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maintenance_mode::{Config, Facts, Maintenance, On, SiteName};
///
/// let maintenance = Maintenance::start(Config::new().backend("memory:")).await?;
/// assert!(maintenance.decide(&Facts::new("GET", "/")).is_allowed());
///
/// maintenance.on(&[SiteName::default()], &On::default()).await?;
/// assert!(!maintenance.decide(&Facts::new("GET", "/")).is_allowed());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Maintenance {
    shared: Arc<Shared>,
}

/// What all clones and the watcher share.
#[derive(Debug)]
struct Shared {
    cell: Cell,
    control: Control,
    in_flight: InFlight,
    /// Where leases live, if the backend keeps any.
    presence: Option<Arc<dyn PresenceBackend>>,
    health: Mutex<Health>,
    published: watch::Sender<Arc<Snapshot>>,
    /// Wakes the watcher for a read.
    kick: Arc<Notify>,
    /// Dropped with the last handle; the watcher ends then.
    _alive: watch::Sender<()>,
}

/// How the last reads went.
#[derive(Debug, Default)]
struct Health {
    last_read: Option<Instant>,
    error: Option<String>,
    reads: u64,
    restarts: u64,
}

/// The live switch could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is wrong; everything that is wrong with it.
    #[error("the configuration is not usable:\n{0}")]
    Config(#[from] Complaints),
    /// The backend cannot be used at all, or could not be read and `state.initial` is `refuse_start`.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Starts a [`Maintenance`] with more than a configuration.
#[derive(Debug)]
#[must_use]
pub struct MaintenanceBuilder {
    policy: PolicyBuilder,
    base: std::path::PathBuf,
    registry: BackendRegistry,
    backend: Option<Arc<dyn StateBackend>>,
}

impl MaintenanceBuilder {
    /// The folder that relative paths of the configuration start from; the working folder when left out.
    pub fn base(mut self, folder: impl AsRef<Path>) -> Self {
        self.base = folder.as_ref().to_path_buf();
        self.policy = self.policy.base(folder);
        self
    }

    /// Adds custom exemptions, a context function or an answer function to the policy.
    pub fn policy(mut self, with: impl FnOnce(PolicyBuilder) -> PolicyBuilder) -> Self {
        self.policy = with(self.policy);
        self
    }

    /// Knows more kinds of backend URL than `file:` and `memory:`.
    pub fn registry(mut self, registry: BackendRegistry) -> Self {
        self.registry = registry;
        self
    }

    /// Uses this backend, whatever the configuration names.
    pub fn backend(mut self, backend: Arc<dyn StateBackend>) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Compiles, opens the backend, reads it once, and follows it from then on.
    ///
    /// # Errors
    ///
    /// [`StartError`]. A backend that cannot be read is no error unless `state.initial` is `refuse_start`.
    pub async fn start(self) -> Result<Maintenance, StartError> {
        let policy = Arc::new(self.policy.build()?);
        warn_of(policy.warnings());
        let backend = match self.backend {
            Some(backend) => backend,
            None => self.registry.open(
                &policy
                    .config()
                    .backend_url()
                    .parse()
                    .map_err(BackendError::from)?,
                &self.base,
            )?,
        };
        Maintenance::follow(policy, backend, &self.base).await
    }
}

impl Maintenance {
    /// Begins with a configuration.
    pub fn builder(config: Config) -> MaintenanceBuilder {
        MaintenanceBuilder {
            policy: Policy::builder(config),
            base: std::path::PathBuf::new(),
            registry: BackendRegistry::builtin(),
            backend: None,
        }
    }

    /// Starts from a configuration alone.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Self::builder(config).start().await
    }

    /// Starts from a configuration file and the `MAINTENANCE_*` variables, which win.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn from_file(file: impl AsRef<Path>) -> Result<Self, StartError> {
        Self::builder_from_file(file)?.start().await
    }

    /// Begins with a configuration file and the `MAINTENANCE_*` variables, which win.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file.
    pub fn builder_from_file(file: impl AsRef<Path>) -> Result<MaintenanceBuilder, Complaints> {
        let file = Some(file.as_ref());
        // Compiled once only to complain: here alone each line is known that a complaint is about.
        Policy::load(file, process_environment())?;
        let loaded = Config::load(file, process_environment())?;
        warn_of(&loaded.warnings);
        Ok(Self::builder(loaded.config).base(loaded.base))
    }

    async fn follow(
        policy: Arc<Policy>,
        backend: Arc<dyn StateBackend>,
        base: &Path,
    ) -> Result<Self, StartError> {
        let initial = policy.config().state.initial;
        let snapshot = Arc::new(Snapshot::new(
            Arc::clone(&policy),
            watcher::initial_state(&policy).map(Arc::new),
        ));
        let (alive, ended) = watch::channel(());
        let kick = Arc::new(Notify::new());
        let shared = Arc::new(Shared {
            cell: Cell::new(Arc::clone(&snapshot), now()),
            presence: backend.presence().ok(),
            control: Control::new(backend, Arc::clone(&policy)),
            in_flight: InFlight::new(),
            health: Mutex::default(),
            published: watch::channel(snapshot).0,
            kick: Arc::clone(&kick),
            _alive: alive,
        });
        let keeper = policy
            .config()
            .state
            .last_known_good
            .as_ref()
            .map(|file| base.join(file));
        let reporter = shared
            .presence
            .clone()
            .and_then(|presence| reporter::Reporter::new(&shared, presence, ended.clone()));
        let watcher = watcher::Watcher::new(&shared, keeper, kick, ended);
        let first = watcher.first_read(&shared).await;
        if initial == Initial::RefuseStart {
            first?;
        }
        tokio::spawn(watcher.run());
        if let Some(reporter) = reporter {
            tokio::spawn(reporter.run());
        }
        Ok(Self { shared })
    }

    /// Whether every site is online and stays so, for all that is known here: an atomic load.
    #[inline]
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.shared.cell.is_quiet()
    }

    /// Decides. While every site is online this costs an atomic load; otherwise it also asks the clock.
    #[inline]
    pub fn decide(&self, facts: &Facts<'_>) -> Decision<'static> {
        if self.is_quiet() && facts.route_override.is_none() {
            return Decision::Allow(Allow::because(Reason::Online));
        }
        self.decide_by_snapshot(facts)
    }

    /// Apart, so that the way of an open site stays short.
    #[cold]
    #[inline(never)]
    fn decide_by_snapshot(&self, facts: &Facts<'_>) -> Decision<'static> {
        self.snapshot().decide_shared(facts, now())
    }

    /// Decides, and says why.
    #[must_use]
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation {
        self.snapshot().explain(facts, now())
    }

    /// The present snapshot. Adapters ask it directly, so that a blocked request shares no counter.
    #[must_use]
    pub fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.shared.cell.load()
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(self.snapshot().policy())
    }

    /// The admitted requests that are still running.
    #[must_use]
    pub fn in_flight(&self) -> &InFlight {
        &self.shared.in_flight
    }

    /// Where the leases of this state live, if its backend keeps any: sessions, tasks and instances.
    #[must_use]
    pub fn presence(&self) -> Option<Arc<dyn PresenceBackend>> {
        self.shared.presence.clone()
    }

    /// What every site does now, and how fresh that knowledge is.
    #[must_use]
    pub fn status(&self) -> Status {
        let health = self.shared.health();
        let poll = self.shared.control.policy().poll_interval();
        let freshness = match (health.last_read, &health.error) {
            (None, _) => Freshness::NeverRead,
            (Some(at), _) if at.elapsed() > 3 * poll => Freshness::Stale,
            (Some(_), _) => Freshness::Fresh,
        };
        let mut status = Status::of(
            &self.snapshot(),
            now(),
            self.shared.control.backend().describe(),
        );
        status.freshness = freshness;
        status.age_seconds = health.last_read.map(|at| at.elapsed().as_secs_f64());
        status.error = health.error.clone();
        status.in_flight = Some(self.shared.in_flight.count());
        status
    }

    /// The last changes, oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<Change> {
        self.snapshot()
            .state()
            .map(|state| state.log.clone())
            .unwrap_or_default()
    }

    /// A stream of changes: each time a new snapshot is published.
    #[must_use]
    pub fn changed(&self) -> Changes {
        Changes::new(self.shared.published.subscribe())
    }

    /// Closes these sites, and waits until this instance has closed them too.
    ///
    /// # Errors
    ///
    /// [`ControlError`].
    pub async fn on(&self, sites: &[SiteName], order: &On) -> Result<Changed, ControlError> {
        let changed = self
            .shared
            .control
            .on(sites, order, &Author::application(), now())
            .await?;
        self.catch_up(&changed).await;
        Ok(changed)
    }

    /// Opens these sites again, and waits until this instance has opened them too.
    ///
    /// # Errors
    ///
    /// [`ControlError`].
    pub async fn off(&self, sites: &[SiteName], order: &Off) -> Result<Changed, ControlError> {
        let changed = self
            .shared
            .control
            .off(sites, order, &Author::application(), now())
            .await?;
        self.catch_up(&changed).await;
        Ok(changed)
    }

    /// Puts a site into `mode` while `block` runs, and puts everything back afterwards: also when the
    /// block panics, also when the returned future is dropped. The windows of before come back too.
    ///
    /// # Errors
    ///
    /// [`ControlError`] if the mode could not be set, or could not be put back after the block had run.
    pub async fn force<F: Future>(
        &self,
        site: &SiteName,
        mode: Mode,
        block: F,
    ) -> Result<F::Output, ControlError> {
        force::force(self, site, mode, block).await
    }

    /// Puts a site into `mode` until the guard is given back or dropped.
    ///
    /// # Errors
    ///
    /// [`ControlError`] if the mode could not be set.
    pub async fn force_guard(&self, site: &SiteName, mode: Mode) -> Result<Forced, ControlError> {
        Forced::begin(self, site, mode).await
    }

    /// The verbs without the handle's own snapshot.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.shared.control
    }

    /// Waits until this instance's snapshot shows the change. Bounded: the watcher may be between two tries.
    async fn catch_up(&self, changed: &Changed) {
        let mut published = self.shared.published.subscribe();
        let version = changed.version;
        if version.revision == 0 {
            return;
        }
        let shown = |snapshot: &Arc<Snapshot>| {
            snapshot
                .state()
                .is_some_and(|s| s.epoch == version.epoch && s.revision >= version.revision)
        };
        self.shared.kick.notify_one();
        let wait = published.wait_for(shown);
        if tokio::time::timeout(Duration::from_secs(5), wait)
            .await
            .is_err()
        {
            tracing::warn!(
                revision = version.revision,
                "the change is stored and not yet applied here"
            );
        }
    }
}

impl Shared {
    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        // A panic while it is held leaves only figures behind.
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a snapshot to every request, then to everybody who waits for changes.
    fn publish(&self, state: Option<State>) {
        let policy = Arc::clone(self.control.policy());
        let snapshot = Arc::new(Snapshot::new(policy, state.map(Arc::new)));
        for warning in snapshot.warnings() {
            tracing::error!("{}: {} (left out)", warning.place(), warning.problem());
        }
        let now = now();
        snapshot.prepare(now);
        self.cell.store(Arc::clone(&snapshot), now);
        let version = snapshot.state().map(|state| state.version());
        self.in_flight.begin_era(version);
        self.published.send_replace(snapshot);
    }
}

fn warn_of(warnings: &Complaints) {
    for warning in warnings {
        tracing::warn!(
            hint = warning.hint(),
            "{}: {}",
            warning.place(),
            warning.problem()
        );
    }
}

/// The wall clock. The edge has one; the engine is told.
fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}
