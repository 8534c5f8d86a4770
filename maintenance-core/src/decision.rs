//! What comes out: let through or blocked, and why.

use std::fmt;
use std::ops::Deref;
#[cfg(feature = "live")]
use std::sync::Arc;

use crate::answer::{Answer, FormatChoice};
use crate::policy::paths::RequestPaths;
use crate::request::Facts;
use crate::snapshot::{Place, Snapshot};
use crate::state::{Mode, SiteName};
use crate::time::Timestamp;

/// Why a request was let through or blocked. Each has a stable code for logs, metrics, JSON and `explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The route is forced off: always open.
    ForceOff,
    /// The route is forced on: always closed.
    ForceOn,
    /// The site is online.
    Online,
    /// A health endpoint.
    Health,
    /// A control endpoint, known by its route.
    Control,
    /// The target of the redirect answer.
    RedirectTarget,
    /// An asset of the page.
    Asset,
    /// The application runs under test.
    Test,
    /// A path rule.
    Path,
    /// A path exemption that an operator added at run time.
    RuntimePath,
    /// A safe method of a read-only site.
    SafeMethod,
    /// A client address rule.
    Address,
    /// An address exemption that an operator added at run time.
    RuntimeAddress,
    /// The bypass header with the right value.
    BypassHeader,
    /// A custom exemption; its place in the order of the policy.
    Custom(u16),
    /// A role rule; its place in the order of the policy.
    Role(u16),
    /// The rule for everybody who is logged in.
    Authenticated,
    /// The rule for everybody who is not.
    Anonymous,
    /// Was inside before the site began to close.
    Inside,
    /// The site is offline.
    Offline,
    /// The site is read-only and the method is not safe.
    ReadOnly,
    /// The site is closing and the visitor was not inside.
    Pending,
    /// The site holds requests.
    Paused,
    /// No site claims the host, and some site is not online.
    UnknownHost,
    /// The host is malformed, doubled or missing, and some site is not online.
    BadHost,
}

impl Reason {
    /// The reasons to block. All others are reasons to let through; none is both.
    pub const BLOCKING: [Self; 7] = [
        Self::ForceOn,
        Self::Offline,
        Self::ReadOnly,
        Self::Pending,
        Self::Paused,
        Self::UnknownHost,
        Self::BadHost,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ForceOff => "force_off",
            Self::ForceOn => "force_on",
            Self::Online => "online",
            Self::Health => "health",
            Self::Control => "control",
            Self::RedirectTarget => "redirect_target",
            Self::Asset => "asset",
            Self::Test => "test",
            Self::Path => "path",
            Self::RuntimePath => "runtime_path",
            Self::SafeMethod => "safe_method",
            Self::Address => "address",
            Self::RuntimeAddress => "runtime_address",
            Self::BypassHeader => "bypass_header",
            Self::Custom(_) => "custom",
            Self::Role(_) => "role",
            Self::Authenticated => "authenticated",
            Self::Anonymous => "anonymous",
            Self::Inside => "inside",
            Self::Offline => "offline",
            Self::ReadOnly => "read_only",
            Self::Pending => "pending",
            Self::Paused => "paused",
            Self::UnknownHost => "unknown_host",
            Self::BadHost => "bad_host",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What becomes of one request.
#[derive(Debug)]
#[must_use = "a decision that nobody carries out closes nothing"]
#[non_exhaustive]
pub enum Decision<'s> {
    /// Let it through.
    Allow(Allow),
    /// Answer it here.
    Block(Block<'s>),
}

/// The request goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Allow {
    /// Why.
    pub reason: Reason,
    /// The visitor must be logged out first.
    pub logout: bool,
}

/// The request is answered here.
#[must_use]
#[non_exhaustive]
pub struct Block<'s> {
    /// Why.
    pub reason: Reason,
    /// The visitor must be logged out.
    pub logout: bool,
    /// The visitor was not looked up, and who he is may change the decision.
    pub(crate) asks_for_visitor: bool,
    pub(crate) place: Place,
    pub(crate) segment: usize,
    pub(crate) now: Timestamp,
    pub(crate) snapshot: SnapshotRef<'s>,
}

/// A borrowed or a shared snapshot.
pub(crate) enum SnapshotRef<'s> {
    Borrowed(&'s Snapshot),
    #[cfg(feature = "live")]
    Shared(Arc<Snapshot>),
}

impl Deref for SnapshotRef<'_> {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        match self {
            Self::Borrowed(snapshot) => snapshot,
            #[cfg(feature = "live")]
            Self::Shared(snapshot) => snapshot,
        }
    }
}

impl Decision<'_> {
    /// Whether the request goes through.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Allow(allow) => allow.reason,
            Self::Block(block) => block.reason,
        }
    }

    /// Whether the visitor must be logged out.
    #[must_use]
    pub const fn logs_out(&self) -> bool {
        match self {
            Self::Allow(allow) => allow.logout,
            Self::Block(block) => block.logout,
        }
    }

    /// Whether the visitor should be looked up, and the decision asked for again.
    #[must_use]
    pub const fn asks_for_visitor(&self) -> bool {
        match self {
            Self::Allow(_) => false,
            Self::Block(block) => block.asks_for_visitor,
        }
    }
}

impl Allow {
    pub(crate) const fn because(reason: Reason) -> Self {
        Self {
            reason,
            logout: false,
        }
    }
}

impl Block<'_> {
    /// The mode that blocks; [`Mode::Offline`] for a route that is forced on.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match (
            self.reason,
            self.snapshot.course(self.place).segment(self.segment).mode,
        ) {
            (Reason::ForceOn, _) | (_, Mode::Online) => Mode::Offline,
            (_, mode) => mode,
        }
    }

    /// The site whose rules held.
    #[must_use]
    pub fn site(&self) -> &SiteName {
        &self.snapshot.policy.sites[usize::from(self.place.site)].name
    }

    /// Cookies that the answer must expire; none unless the visitor is logged out.
    #[must_use]
    pub fn expired_cookies(&self) -> &[String] {
        if self.logout {
            self.snapshot.policy.logout_cookies()
        } else {
            &[]
        }
    }

    /// The answer for this request: prepared parts, chosen by policy, path rule, `Accept` and language.
    #[must_use]
    pub fn answer(&self, facts: &Facts<'_>) -> Answer<'_> {
        self.snapshot.answers(self.place, self.segment).answer(
            facts,
            self.now,
            self.chosen_format(facts),
        )
    }

    fn chosen_format(&self, facts: &Facts<'_>) -> Option<FormatChoice> {
        let rules = &self.snapshot.policy.sites[usize::from(self.place.site)]
            .answer
            .rules;
        if rules.is_empty() {
            return None;
        }
        let paths = RequestPaths::of(facts);
        rules
            .iter()
            .find(|(rule, _)| rule.admits(&paths, facts))
            .map(|(_, format)| *format)
    }
}

impl fmt::Debug for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block")
            .field("reason", &self.reason)
            .field("logout", &self.logout)
            .field("site", self.site())
            .finish_non_exhaustive()
    }
}
