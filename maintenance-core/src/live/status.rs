//! What every site does now, for people and, as JSON, for programs.

use serde::Serialize;

use crate::snapshot::Snapshot;
use crate::state::{ActivationId, Message, Mode, SiteName};
use crate::time::Timestamp;

/// How fresh the state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Read within three poll intervals.
    Fresh,
    /// Read longer ago; `state.on_stale` says what holds.
    Stale,
    /// Never read; `state.initial` says what holds.
    NeverRead,
}

/// What every site does now.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The backend's URL without secrets.
    pub backend: String,
    /// How fresh this is.
    pub freshness: Freshness,
    /// Seconds since the last good read.
    pub age_seconds: Option<f64>,
    /// Why the last read failed, if it did.
    pub error: Option<String>,
    /// The epoch of the state; `None` if it was never changed.
    pub epoch: Option<String>,
    /// The revision of the state; 0 if it was never changed.
    pub revision: u64,
    /// Admitted requests that are still running; `None` outside of an application.
    pub in_flight: Option<u64>,
    /// Whether closing one site also closes hosts that no site claims.
    pub closes_unknown_hosts: bool,
    /// Every configured site, the default one first.
    pub sites: Vec<SiteStatus>,
    /// What in the state could not be used, and sites of the state that nobody has configured.
    pub warnings: Vec<String>,
}

/// What one site does now.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SiteStatus {
    /// Its name.
    pub site: SiteName,
    /// The mode in effect.
    pub mode: Mode,
    /// Whether the configuration pins it, so that the switch is refused.
    pub pinned: bool,
    /// What visitors are told.
    pub message: Option<Message>,
    /// When it is expected to end.
    pub ends_at: Option<Timestamp>,
    /// That moment has passed and the site is still closed.
    pub overdue: bool,
    /// The period of maintenance.
    pub activation: Option<ActivationId>,
    /// When the period began, if it was begun by hand.
    pub since: Option<Timestamp>,
    /// Who switched last.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// When the mode changes next by itself.
    pub next_change_at: Option<Timestamp>,
    /// To which mode.
    pub next_mode: Option<Mode>,
}

impl Status {
    /// The status that a snapshot just read from `backend` shows.
    #[must_use]
    pub fn of(snapshot: &Snapshot, now: Timestamp, backend: String) -> Self {
        let state = snapshot.state();
        let policy = snapshot.policy();
        let mut warnings: Vec<String> = snapshot
            .warnings()
            .iter()
            .map(ToString::to_string)
            .collect();
        for name in state.iter().flat_map(|state| state.sites.keys()) {
            if !policy.has_site(name) {
                warnings.push(format!(
                    "the state knows site `{name}`, which is not configured here"
                ));
            }
        }
        Self {
            backend,
            freshness: Freshness::Fresh,
            age_seconds: Some(0.0),
            error: None,
            epoch: state.map(|state| state.epoch.to_string()),
            revision: state.map_or(0, |state| state.revision),
            in_flight: None,
            closes_unknown_hosts: policy.closes_unknown_hosts(),
            sites: policy
                .site_names()
                .filter_map(|name| SiteStatus::of(snapshot, name, now))
                .collect(),
            warnings,
        }
    }

    /// The strictest mode of any site.
    #[must_use]
    pub fn strictest(&self) -> Mode {
        self.sites
            .iter()
            .map(|site| site.mode)
            .max()
            .unwrap_or_default()
    }
}

impl SiteStatus {
    fn of(snapshot: &Snapshot, name: &SiteName, now: Timestamp) -> Option<Self> {
        let view = snapshot.site(name, now)?;
        let state = snapshot.state().and_then(|state| state.site(name));
        let closed = view.mode != Mode::Online;
        Some(Self {
            site: name.clone(),
            mode: view.mode,
            pinned: view.pinned,
            message: view.message,
            ends_at: view.ends_at,
            overdue: closed && view.ends_at.is_some_and(|end| end <= now),
            activation: view.activation,
            since: state
                .and_then(|s| s.activation)
                .map(|activation| activation.since),
            by: state.and_then(|s| s.by.clone()),
            why: state.and_then(|s| s.why.clone()),
            next_change_at: view.next.map(|(at, _)| at),
            next_mode: view.next.map(|(_, mode)| mode),
        })
    }
}
