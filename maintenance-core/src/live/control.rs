//! The verbs: what an operator or the application orders, stored by compare-and-set and read back.
//!
//! Used by the live handle and by the command line alike; it needs a backend and a policy, no running site.

use std::sync::Arc;

use crate::backend::{BackendError, StateBackend};
use crate::policy::Policy;
use crate::snapshot::Snapshot;
use crate::state::{
    Action, Activation, ActivationId, Change, Epoch, Message, Mode, SiteName, SiteState, State,
    Version,
};
use crate::time::Timestamp;

/// How often an order is tried again when others write at the same time.
const TRIES: usize = 64;

/// An order to close.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct On {
    /// The mode; not `Online`.
    pub mode: Mode,
    /// What visitors are told. Left out, the message of before stays.
    pub message: Option<Message>,
    /// When the operator expects to be done. Left out, the end of before stays.
    pub ends_at: Option<Timestamp>,
    /// Seconds for `Retry-After`. Left out, those of before stay.
    pub retry_after: Option<u32>,
    /// Why, for the log.
    pub why: Option<String>,
    /// The site opens by itself when the owner's lease has ended, which whoever orders must begin within
    /// [`OWNER_MISSED_AFTER`](super::OWNER_MISSED_AFTER) and renew. An order without it ends that.
    pub held: bool,
}

impl Default for On {
    fn default() -> Self {
        Self {
            mode: Mode::Offline,
            message: None,
            ends_at: None,
            retry_after: None,
            why: None,
            held: false,
        }
    }
}

impl On {
    /// An order for this mode.
    #[must_use]
    pub fn mode(mode: Mode) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }

    /// The same order with a message to visitors.
    #[must_use]
    pub fn message(mut self, message: Option<Message>) -> Self {
        self.message = message;
        self
    }

    /// The same order with an expected end.
    #[must_use]
    pub const fn ends_at(mut self, ends_at: Option<Timestamp>) -> Self {
        self.ends_at = ends_at;
        self
    }

    /// The same order with seconds for `Retry-After`.
    #[must_use]
    pub const fn retry_after(mut self, seconds: Option<u32>) -> Self {
        self.retry_after = seconds;
        self
    }

    /// The same order with a reason for the log.
    #[must_use]
    pub fn why(mut self, why: Option<String>) -> Self {
        self.why = why;
        self
    }

    /// The same order, held by a lease.
    #[must_use]
    pub const fn held(mut self, held: bool) -> Self {
        self.held = held;
        self
    }
}

/// An order to open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Off {
    /// Only if the site is in this period of maintenance: never end somebody else's.
    pub if_activation: Option<ActivationId>,
    /// Why, for the log.
    pub why: Option<String>,
}

impl Off {
    /// The same order, only for this period of maintenance.
    #[must_use]
    pub const fn if_activation(mut self, id: Option<ActivationId>) -> Self {
        self.if_activation = id;
        self
    }

    /// The same order with a reason for the log.
    #[must_use]
    pub fn why(mut self, why: Option<String>) -> Self {
        self.why = why;
        self
    }
}

/// Who gives the order, for the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// Who: a login name, a user of the application.
    pub by: Option<String>,
    /// From where: `cli@host`, an address.
    pub via: Option<String>,
}

impl Author {
    /// The application itself.
    #[must_use]
    pub fn application() -> Self {
        Self {
            by: None,
            via: Some(format!("application, process {}", std::process::id())),
        }
    }
}

/// What an order came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Changed {
    /// Whether anything was stored; an order that is fulfilled already stores nothing.
    pub changed: bool,
    /// Where the record stands.
    pub version: Version,
    /// What else the operator should know.
    pub notes: Vec<String>,
    /// The record as read back.
    pub state: Option<Arc<State>>,
}

/// An order was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The configuration fixes the mode.
    #[error(
        "site `{site}` is pinned to {mode} by `mode` in the configuration or MAINTENANCE_MODE; remove it to use the switch"
    )]
    Pinned {
        /// Which site.
        site: SiteName,
        /// To which mode.
        mode: Mode,
    },
    /// No such site.
    #[error("no site `{site}` is configured; known: {known}")]
    UnknownSite {
        /// The name given.
        site: SiteName,
        /// All names.
        known: String,
    },
    /// An order to close names the mode `online`.
    #[error("`on` cannot put a site online; use `off`")]
    OnlineIsOff,
    /// The expected end is not in the future.
    #[error("the expected end {end} is not in the future (now {now})")]
    EndPassed {
        /// The end given.
        end: Timestamp,
        /// The present.
        now: Timestamp,
    },
    /// The site is in another period of maintenance, or in none.
    #[error("site `{site}` is not in the period {wanted} but {}; left as it is", .present.map_or_else(|| "in none".to_owned(), |id| format!("in {id}")))]
    OtherActivation {
        /// Which site.
        site: SiteName,
        /// The period that the order was for.
        wanted: ActivationId,
        /// The present one.
        present: Option<ActivationId>,
    },
    /// Others write all the time.
    #[error("somebody else changed the state at each of {TRIES} tries; nothing was done")]
    Contended,
    /// The stored record is not what was written a moment ago.
    #[error(
        "the change was stored, and a later read shows revision {found:?} instead of {wanted}; run `maintenance status`"
    )]
    NotReadBack {
        /// Written.
        wanted: Version,
        /// Read.
        found: Option<Version>,
    },
    /// The system gave no random bits.
    #[error("the system gives no random bits: {0}")]
    Random(String),
    /// The backend.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// The verbs over one backend and one policy.
#[derive(Clone, Debug)]
pub struct Control {
    backend: Arc<dyn StateBackend>,
    policy: Arc<Policy>,
}

impl Control {
    /// Verbs over this backend, for the sites of this policy.
    #[must_use]
    pub fn new(backend: Arc<dyn StateBackend>, policy: Arc<Policy>) -> Self {
        Self { backend, policy }
    }

    /// The backend.
    #[must_use]
    pub fn backend(&self) -> &Arc<dyn StateBackend> {
        &self.backend
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Reads the record and compiles it with the policy.
    ///
    /// # Errors
    ///
    /// The backend's.
    pub async fn snapshot(&self) -> Result<Snapshot, ControlError> {
        let state = self.backend.load().await?;
        Ok(Snapshot::new(Arc::clone(&self.policy), state.map(Arc::new)))
    }

    /// Closes these sites. Sites that are in the ordered mode with the ordered notice already stay as they are.
    ///
    /// # Errors
    ///
    /// [`ControlError`]; then no site was changed.
    pub async fn on(
        &self,
        sites: &[SiteName],
        order: &On,
        author: &Author,
        now: Timestamp,
    ) -> Result<Changed, ControlError> {
        if order.mode == Mode::Online {
            return Err(ControlError::OnlineIsOff);
        }
        if let Some(end) = order.ends_at.filter(|end| *end <= now) {
            return Err(ControlError::EndPassed { end, now });
        }
        self.check_switchable(sites)?;
        let id = random_activation()?;
        self.change(sites, author, now, order.why.as_deref(), |_, site| {
            Ok(close(site, order, Activation { id, since: now }))
        })
        .await
    }

    /// Opens these sites. A window that is in force is disabled, because the site would stay closed with it.
    ///
    /// # Errors
    ///
    /// [`ControlError`]; then no site was changed.
    pub async fn off(
        &self,
        sites: &[SiteName],
        order: &Off,
        author: &Author,
        now: Timestamp,
    ) -> Result<Changed, ControlError> {
        self.check_switchable(sites)?;
        self.change(sites, author, now, order.why.as_deref(), |name, site| {
            check_activation(name, site, order, now)?;
            Ok(open(name, site, now))
        })
        .await
    }

    /// Puts one site back as it was.
    pub(super) async fn restore(
        &self,
        name: &SiteName,
        before: &SiteState,
        forced: Option<ActivationId>,
        now: Timestamp,
    ) -> Result<Changed, ControlError> {
        let author = Author::application();
        self.change(
            std::slice::from_ref(name),
            &author,
            now,
            Some("forced mode ended"),
            |_, site| {
                let ours = site.activation.map(|activation| activation.id) == forced;
                if !ours {
                    return Ok(vec![format!(
                        "site `{name}` was switched by somebody else meanwhile and is left as it is"
                    )]);
                }
                site.clone_from(before);
                Ok(Vec::new())
            },
        )
        .await
    }

    /// Sets one site's state as a whole.
    pub(super) async fn replace(
        &self,
        name: &SiteName,
        why: &str,
        now: Timestamp,
        mut with: impl FnMut(&SiteState) -> SiteState,
    ) -> Result<Changed, ControlError> {
        self.check_switchable(std::slice::from_ref(name))?;
        let author = Author::application();
        self.change(
            std::slice::from_ref(name),
            &author,
            now,
            Some(why),
            |_, site| {
                *site = with(site);
                Ok(Vec::new())
            },
        )
        .await
    }

    /// Puts a new record in the place of an unreadable or vanished one, with every site in `mode`.
    ///
    /// # Errors
    ///
    /// The backend's.
    pub async fn repair(
        &self,
        mode: Mode,
        author: &Author,
        now: Timestamp,
    ) -> Result<Changed, ControlError> {
        let mut state = State::new(random_epoch()?);
        state.revision = 1;
        for name in self.policy.site_names() {
            if mode != Mode::Online {
                let activation = Activation {
                    id: random_activation()?,
                    since: now,
                };
                close(state.site_mut(name), &On::mode(mode), activation);
            }
            state.record(Change {
                at: now,
                revision: 1,
                site: name.clone(),
                action: Action::Repair,
                from: mode,
                to: mode,
                by: author.by.clone(),
                via: author.via.clone(),
                why: None,
            });
        }
        let kept = self.backend.repair(&state).await?;
        self.read_back(state.version(), kept.into_iter().collect())
            .await
    }

    fn check_switchable(&self, sites: &[SiteName]) -> Result<(), ControlError> {
        for site in sites {
            if !self.policy.has_site(site) {
                let known: Vec<&str> = self.policy.site_names().map(SiteName::as_str).collect();
                return Err(ControlError::UnknownSite {
                    site: site.clone(),
                    known: known.join(", "),
                });
            }
            if let Some(mode) = self.policy.pinned_mode(site) {
                return Err(ControlError::Pinned {
                    site: site.clone(),
                    mode,
                });
            }
        }
        Ok(())
    }

    /// Reads, applies the order, stores, and reads back; again if somebody else was faster.
    async fn change(
        &self,
        sites: &[SiteName],
        author: &Author,
        now: Timestamp,
        why: Option<&str>,
        mut apply: impl FnMut(&SiteName, &mut SiteState) -> Result<Vec<String>, ControlError>,
    ) -> Result<Changed, ControlError> {
        for attempt in 0..TRIES {
            let stored = self.backend.load().await?;
            let expected = stored.as_ref().map(State::version);
            let mut next = match &stored {
                Some(state) => state.clone(),
                None => State::new(random_epoch()?),
            };
            next.revision += 1;
            let mut notes = Vec::new();
            let mut changes = Vec::new();
            for name in sites {
                let before = next.site(name).cloned().unwrap_or_default();
                let mut after = before.clone();
                notes.extend(apply(name, &mut after)?);
                if after == before {
                    continue;
                }
                after.by.clone_from(&author.by);
                after.why = why.map(ToOwned::to_owned);
                changes.push(describe(name, &before, &after, author, next.revision, now));
                *next.site_mut(name) = after;
            }
            if changes.is_empty() {
                let version = expected.unwrap_or(Version {
                    revision: 0,
                    ..next.version()
                });
                return Ok(Changed {
                    changed: false,
                    version,
                    notes,
                    state: stored.map(Arc::new),
                });
            }
            for change in changes {
                next.record(change);
            }
            match self.backend.compare_and_set(expected, &next).await {
                Ok(()) => return self.read_back(next.version(), notes).await,
                Err(BackendError::Conflict(_)) => back_off(attempt).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(ControlError::Contended)
    }

    async fn read_back(
        &self,
        wanted: Version,
        notes: Vec<String>,
    ) -> Result<Changed, ControlError> {
        let found = self.backend.load().await?;
        match found {
            Some(state) if state.epoch == wanted.epoch && state.revision >= wanted.revision => {
                Ok(Changed {
                    changed: true,
                    version: wanted,
                    notes,
                    state: Some(Arc::new(state)),
                })
            }
            other => Err(ControlError::NotReadBack {
                wanted,
                found: other.as_ref().map(State::version),
            }),
        }
    }
}

fn close(site: &mut SiteState, order: &On, fresh: Activation) -> Vec<String> {
    let activation = site
        .activation
        .filter(|_| site.mode != Mode::Online)
        .unwrap_or(fresh);
    let was_held = std::mem::replace(&mut site.held, order.held);
    site.mode = order.mode;
    site.activation = Some(activation);
    if order.message.is_some() {
        site.message.clone_from(&order.message);
    }
    site.expected_end = order.ends_at.or(site.expected_end);
    site.retry_after = order.retry_after.or(site.retry_after);
    if was_held && !order.held {
        vec![
            "it was held closed by a running command; it no longer opens when that ends".to_owned(),
        ]
    } else {
        Vec::new()
    }
}

fn open(name: &SiteName, site: &mut SiteState, now: Timestamp) -> Vec<String> {
    let mut notes = Vec::new();
    for window in &mut site.windows {
        if window.in_force(now) {
            notes.push(format!(
                "site `{name}`: disabled the window {window} ({}), which was in force",
                window.id()
            ));
            *window = window.clone().enabled(false);
        }
    }
    let windows = std::mem::take(&mut site.windows);
    let (by, why) = (site.by.take(), site.why.take());
    *site = SiteState {
        windows,
        by,
        why,
        ..SiteState::default()
    };
    notes
}

fn check_activation(
    name: &SiteName,
    site: &SiteState,
    order: &Off,
    now: Timestamp,
) -> Result<(), ControlError> {
    let Some(wanted) = order.if_activation else {
        return Ok(());
    };
    let by_hand = site.activation.map(|activation| activation.id);
    let by_window = site
        .windows
        .iter()
        .any(|window| window.in_force(now) && window.id() == wanted);
    if by_hand == Some(wanted) || by_hand.is_none() && by_window {
        return Ok(());
    }
    Err(ControlError::OtherActivation {
        site: name.clone(),
        wanted,
        present: by_hand,
    })
}

fn describe(
    name: &SiteName,
    before: &SiteState,
    after: &SiteState,
    author: &Author,
    revision: u64,
    at: Timestamp,
) -> Change {
    let action = if before.mode != after.mode {
        Action::Mode
    } else if before.windows != after.windows {
        Action::Windows
    } else if before.exemptions != after.exemptions {
        Action::Exemptions
    } else {
        Action::Notice
    };
    Change {
        at,
        revision,
        site: name.clone(),
        action,
        from: before.mode,
        to: after.mode,
        by: author.by.clone(),
        via: author.via.clone(),
        why: after.why.clone(),
    }
}

/// Writers that collide once must not collide at each try.
async fn back_off(attempt: usize) {
    let spread = random_bits::<2>().map_or(7, u16::from_le_bytes);
    let longest = 2_u64 << attempt.min(6);
    tokio::time::sleep(std::time::Duration::from_millis(
        u64::from(spread) % longest,
    ))
    .await;
}

fn random_bits<const BYTES: usize>() -> Result<[u8; BYTES], ControlError> {
    let mut bits = [0; BYTES];
    getrandom::fill(&mut bits).map_err(|error| ControlError::Random(error.to_string()))?;
    Ok(bits)
}

fn random_epoch() -> Result<Epoch, ControlError> {
    Ok(Epoch::from_bits(u64::from_le_bytes(random_bits()?)))
}

pub(super) fn random_activation() -> Result<ActivationId, ControlError> {
    Ok(ActivationId::from_bits(u128::from_le_bytes(random_bits()?)))
}
