//! What was decided, in the owned form that adapters leave for loggers, metrics and status extractors.

use std::fmt;
use std::sync::Arc;

use crate::decision::{Allow, Block, Reason};
use crate::request::{Facts, Peer};
use crate::snapshot::{SiteView, Snapshot};
use crate::state::{Message, Mode, SiteName};
use crate::time::Timestamp;

/// What was decided about a request, for loggers and metrics. It displays as the reason's code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Why.
    pub reason: Reason,
    /// The site whose rules blocked; `None` for a request that was let through.
    pub blocked_by: Option<SiteName>,
    /// Whether the visitor was logged out.
    pub logged_out: bool,
}

impl Verdict {
    /// Whether the request was answered instead of the application.
    #[must_use]
    pub const fn is_blocked(&self) -> bool {
        self.blocked_by.is_some()
    }
}

impl From<&Block<'_>> for Verdict {
    fn from(block: &Block<'_>) -> Self {
        Self {
            reason: block.reason,
            blocked_by: Some(block.site().clone()),
            logged_out: block.logout,
        }
    }
}

impl From<&Allow> for Verdict {
    fn from(allow: &Allow) -> Self {
        Self {
            reason: allow.reason,
            blocked_by: None,
            logged_out: allow.logout,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

/// From what a request was let through while something was closed. Adapters leave it with the request, so
/// that a status extractor says what the decision saw, and not what came after.
#[derive(Clone, Debug)]
pub struct Admission {
    snapshot: Arc<Snapshot>,
    now: Timestamp,
    peer: Peer,
    verdict: Verdict,
}

impl Admission {
    /// The admission of a request whose other end is `peer`.
    #[must_use]
    pub fn new(snapshot: Arc<Snapshot>, now: Timestamp, peer: Peer, allow: &Allow) -> Self {
        Self {
            snapshot,
            now,
            peer,
            verdict: Verdict::from(allow),
        }
    }

    /// What was decided.
    #[must_use]
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The connection's other end, as the decision saw it.
    #[must_use]
    pub const fn peer(&self) -> Peer {
        self.peer
    }

    /// The status of the site that this request belongs to, as the decision saw it.
    #[must_use]
    pub fn status(&self, facts: &Facts<'_>) -> RequestStatus {
        RequestStatus::new(&self.snapshot, facts, self.now, self.verdict.reason)
    }
}

/// What the site of a request does, and why the request was let through: what status extractors show.
#[derive(Clone, Debug)]
pub struct RequestStatus {
    site: SiteName,
    view: SiteView,
    reason: Reason,
}

impl RequestStatus {
    /// The status at `now` of the site that the facts' host belongs to. `reason` is that of the decision;
    /// [`Reason::Online`] where none was made.
    #[must_use]
    pub fn new(snapshot: &Snapshot, facts: &Facts<'_>, now: Timestamp, reason: Reason) -> Self {
        let (site, view) = snapshot.site_of(facts, now);
        Self {
            site: site.clone(),
            view,
            reason,
        }
    }

    /// The site that the request's host belongs to.
    #[must_use]
    pub const fn site(&self) -> &SiteName {
        &self.site
    }

    /// The mode in effect.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.view.mode
    }

    /// Whether the mode is [`Mode::Online`].
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.view.mode == Mode::Online
    }

    /// Why the request was let through; [`Reason::Online`] where no middleware has decided.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// What visitors are told.
    #[must_use]
    pub const fn message(&self) -> Option<&Message> {
        self.view.message.as_ref()
    }

    /// When it is expected to end.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        self.view.ends_at
    }

    /// All of it, the next planned change among it.
    #[must_use]
    pub const fn view(&self) -> &SiteView {
        &self.view
    }
}
