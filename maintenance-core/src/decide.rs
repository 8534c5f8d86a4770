//! The one pure function: facts of a request in, allow or block out.
//!
//! [`walk`] goes through the ten steps once, in order, and the first definite answer wins. Whoever wants
//! to know why gives it a [`Trace`]; deciding gives it none, and the compiler takes the words out.

use std::cell::OnceCell;
#[cfg(feature = "live")]
use std::sync::Arc;

use crate::client_ip::ClientIp;
use crate::decision::{Allow, Block, Decision, Reason, SnapshotRef};
use crate::policy::paths::RequestPaths;
use crate::request::{Facts, RouteOverride, Single, User, Visitor};
use crate::snapshot::{Place, Snapshot};
use crate::state::Mode;
use crate::time::Timestamp;

/// The steps, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Which site the host belongs to.
    Host,
    /// Route override.
    RouteOverride,
    /// Mode in effect.
    Mode,
    /// Health endpoints, control endpoints, the redirect's target, assets of the page.
    AlwaysOpen,
    /// Test mode.
    Test,
    /// Method and path rules.
    Path,
    /// Client address rules.
    Address,
    /// Bypass header.
    Bypass,
    /// Custom exemptions.
    Custom,
    /// Visitor rules, and logging out.
    Visitor,
    /// Nothing let it through.
    Block,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Lets the request through.
    Allow,
    /// Blocks it.
    Block,
    /// Decides nothing.
    GoOn,
}

/// Somebody who wants to know what was compared.
pub(crate) trait Trace {
    fn step(&mut self, step: Step, outcome: Outcome, detail: impl FnOnce() -> String);
    /// The rule that admitted, as configured.
    fn rule(&mut self, rule: impl FnOnce() -> Option<String>);
}

/// Nobody.
struct Silent;

impl Trace for Silent {
    fn step(&mut self, _: Step, _: Outcome, _: impl FnOnce() -> String) {}
    fn rule(&mut self, _: impl FnOnce() -> Option<String>) {}
}

/// What one walk came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    pub(crate) allowed: bool,
    pub(crate) reason: Reason,
    pub(crate) logout: bool,
    pub(crate) asks_for_visitor: bool,
    pub(crate) segment: usize,
}

impl Snapshot {
    /// Decides. `now` is asked for only when some site is not online at all times.
    ///
    /// Pure: the same facts and time give the same decision; nothing is read, written or allocated. (A
    /// path with lower-case escapes is copied once if there are regular expressions to compare it with.)
    #[inline]
    pub fn decide(&self, facts: &Facts<'_>, now: Timestamp) -> Decision<'_> {
        if self.is_always_online() && facts.route_override.is_none() {
            return Decision::Allow(Allow::because(Reason::Online));
        }
        self.decide_each(SnapshotRef::Borrowed(self), facts, now)
    }

    /// The same, with a decision that keeps the snapshot alive.
    #[cfg(feature = "live")]
    pub(crate) fn decide_shared(
        self: &Arc<Self>,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Decision<'static> {
        self.decide_each(SnapshotRef::Shared(Arc::clone(self)), facts, now)
    }

    /// Whether looking up the visitor could change the decision: nothing cheaper decided, and some rule
    /// asks who he is. Never while the site is online.
    #[must_use]
    pub fn needs_visitor(&self, facts: &Facts<'_>, now: Timestamp) -> bool {
        self.decide(facts, now).asks_for_visitor()
    }

    #[inline(never)]
    fn decide_each<'s>(
        &self,
        snapshot: SnapshotRef<'s>,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Decision<'s> {
        let request = Request::new(facts);
        let (first, second) = self.places(facts, now);
        let mut place = first;
        let mut verdict = walk(self, first, &request, now, &mut Silent);
        if let Some(second) = second.filter(|_| verdict.allowed) {
            place = second;
            verdict = walk(self, second, &request, now, &mut Silent);
        }
        let Verdict {
            allowed,
            reason,
            logout,
            asks_for_visitor,
            segment,
        } = verdict;
        if allowed {
            Decision::Allow(Allow { reason, logout })
        } else {
            Decision::Block(Block {
                reason,
                logout,
                asks_for_visitor,
                place,
                segment,
                now,
                snapshot,
            })
        }
    }
}

/// A request with what was found out about it so far.
pub(crate) struct Request<'f, 'a> {
    pub(crate) facts: &'f Facts<'a>,
    client_ip: OnceCell<ClientIp>,
}

impl<'f, 'a> Request<'f, 'a> {
    pub(crate) const fn new(facts: &'f Facts<'a>) -> Self {
        Self {
            facts,
            client_ip: OnceCell::new(),
        }
    }

    pub(crate) fn client_ip(&self, snapshot: &Snapshot) -> ClientIp {
        *self
            .client_ip
            .get_or_init(|| snapshot.policy.client_ip.resolve(self.facts))
    }
}

pub(crate) fn walk(
    snapshot: &Snapshot,
    place: Place,
    request: &Request<'_, '_>,
    now: Timestamp,
    trace: &mut impl Trace,
) -> Verdict {
    let (segment, in_effect) = snapshot.course(place).at(now);
    let mode = in_effect.mode;
    let decided = |allowed, reason| Verdict {
        allowed,
        reason,
        logout: false,
        asks_for_visitor: false,
        segment,
    };

    if let Some(reason) = by_override(request.facts, trace) {
        return decided(reason == Reason::ForceOff, reason);
    }
    trace.step(
        Step::Mode,
        if mode == Mode::Online {
            Outcome::Allow
        } else {
            Outcome::GoOn
        },
        || mode_in_words(snapshot, place, mode),
    );
    if mode == Mode::Online {
        return decided(true, Reason::Online);
    }
    let exempt = by_path(snapshot, place, mode, request.facts, trace)
        .or_else(|| by_address(snapshot, place, request, trace))
        .or_else(|| by_application(snapshot, place, request.facts, trace));
    if let Some(reason) = exempt {
        return decided(true, reason);
    }
    let visitor = by_visitor(snapshot, place, mode, request.facts.visitor, trace);
    let verdict = match visitor {
        ByVisitor::Admitted { reason, logout } => Verdict {
            logout,
            ..decided(true, reason)
        },
        ByVisitor::Refused {
            logout,
            asks_for_visitor,
        } => Verdict {
            logout,
            asks_for_visitor,
            ..decided(false, place.stricter.unwrap_or_else(|| blocks(mode)))
        },
    };
    if !verdict.allowed {
        trace.step(Step::Block, Outcome::Block, || {
            "nothing let it through".to_owned()
        });
    }
    verdict
}

const fn blocks(mode: Mode) -> Reason {
    match mode {
        Mode::ReadOnly => Reason::ReadOnly,
        Mode::Pending => Reason::Pending,
        Mode::Paused => Reason::Paused,
        Mode::Online | Mode::Offline => Reason::Offline,
    }
}

fn mode_in_words(snapshot: &Snapshot, place: Place, mode: Mode) -> String {
    let site = &snapshot.policy.sites[usize::from(place.site)];
    match (place.stricter, site.pinned) {
        (Some(reason), _) => format!("{mode}: the strictest of all sites ({reason})"),
        (None, Some(_)) => format!("{mode}: site `{}`, pinned by the configuration", site.name),
        (None, None) => format!("{mode}: site `{}`", site.name),
    }
}

/// Step 1.
fn by_override(facts: &Facts<'_>, trace: &mut impl Trace) -> Option<Reason> {
    let (outcome, reason) = match facts.route_override {
        None => (Outcome::GoOn, None),
        Some(RouteOverride::ForceOff) => (Outcome::Allow, Some(Reason::ForceOff)),
        Some(RouteOverride::ForceOn) => (Outcome::Block, Some(Reason::ForceOn)),
    };
    trace.step(Step::RouteOverride, outcome, || match reason {
        None => "the route has no override".to_owned(),
        Some(reason) => format!("the route has {reason}"),
    });
    reason
}

/// Steps 3 to 5: what the path, the route and the method say.
fn by_path(
    snapshot: &Snapshot,
    place: Place,
    mode: Mode,
    facts: &Facts<'_>,
    trace: &mut impl Trace,
) -> Option<Reason> {
    let site = &snapshot.policy.sites[usize::from(place.site)];
    let paths = RequestPaths::of(facts);
    // One look for all lists; the rules of what is always open come first in it.
    let rule = site.paths.first(&paths, facts);
    let always = rule.filter(|rule| rule.opens != Reason::Path);

    let always_open = if facts.control {
        Some(Reason::Control)
    } else {
        always.map(|rule| rule.opens)
    };
    trace.step(
        Step::AlwaysOpen,
        outcome_of(always_open.is_some()),
        || match always_open {
            Some(reason) => reason.to_string(),
            None => "no health, control, asset or redirect path".to_owned(),
        },
    );
    if let Some(reason) = always_open {
        trace.rule(|| {
            always
                .filter(|_| !facts.control)
                .map(|rule| rule.shown().to_owned())
        });
        return Some(reason);
    }

    let tested = facts.test && site.allow.tests;
    trace.step(Step::Test, outcome_of(tested), || {
        match (facts.test, site.allow.tests) {
            (false, _) => "not under test".to_owned(),
            (true, yes) => format!("under test; allow.tests = {yes}"),
        }
    });
    if tested {
        return Some(Reason::Test);
    }

    let added = || snapshot.runtime(place.site)?.paths.first(&paths, facts);
    let rule = rule.or_else(added);
    let safe = rule.is_none() && mode == Mode::ReadOnly && is_safe(snapshot, facts);
    trace.step(Step::Path, outcome_of(rule.is_some() || safe), || {
        match (paths, rule, safe) {
            (_, Some(rule), _) => format!("{} matches ({})", facts.path, rule.opens),
            (_, None, true) => format!("{} is a safe method", facts.method),
            (RequestPaths::Ambiguous(why), None, false) => format!("no path rule applies: {why}"),
            (_, None, false) if mode == Mode::ReadOnly => {
                format!("no rule matches {}, and the request may write", facts.path)
            }
            (_, None, false) => format!("no rule matches {} {}", facts.method, facts.path),
        }
    });
    if let Some(rule) = rule {
        trace.rule(|| Some(rule.shown().to_owned()));
        return Some(rule.opens);
    }
    safe.then_some(Reason::SafeMethod)
}

/// An upgraded connection can carry anything, so asking for one is not reading.
fn is_safe(snapshot: &Snapshot, facts: &Facts<'_>) -> bool {
    snapshot.policy.safe_methods.admits_as_safe(facts)
        && facts.headers.single("upgrade") == Single::Absent
}

const fn outcome_of(admits: bool) -> Outcome {
    if admits {
        Outcome::Allow
    } else {
        Outcome::GoOn
    }
}

/// Step 6.
fn by_address(
    snapshot: &Snapshot,
    place: Place,
    request: &Request<'_, '_>,
    trace: &mut impl Trace,
) -> Option<Reason> {
    let configured = &snapshot.policy.sites[usize::from(place.site)]
        .allow
        .addresses;
    let added = snapshot
        .runtime(place.site)
        .map(|runtime| &runtime.addresses)
        .filter(|set| !set.is_empty());
    if configured.is_empty() && added.is_none() {
        trace.step(Step::Address, Outcome::GoOn, || {
            "no addresses are exempt".to_owned()
        });
        return None;
    }
    let client = request.client_ip(snapshot);
    let known = client.known();
    let found = known.and_then(|ip| {
        if configured.contains(ip) {
            Some((configured, Reason::Address))
        } else {
            added
                .filter(|set| set.contains(ip))
                .map(|set| (set, Reason::RuntimeAddress))
        }
    });
    trace.step(Step::Address, outcome_of(found.is_some()), || match found {
        Some((_, reason)) => format!("{client} is exempt ({reason})"),
        None => format!("{client} is not exempt"),
    });
    let (set, reason) = found?;
    trace.rule(|| set.find(known?).map(|entry| entry.to_string()));
    Some(reason)
}

/// Steps 7 and 8.
fn by_application(
    snapshot: &Snapshot,
    place: Place,
    facts: &Facts<'_>,
    trace: &mut impl Trace,
) -> Option<Reason> {
    let header = snapshot.policy.sites[usize::from(place.site)]
        .allow
        .header
        .as_ref();
    let shown = header.is_some_and(|header| header.admits(facts.headers));
    trace.step(Step::Bypass, outcome_of(shown), || match header {
        None => "no bypass header is configured".to_owned(),
        Some(header) if shown => format!("{} has the right value", header.shown()),
        Some(header) => format!("{} is missing, doubled or wrong", header.shown()),
    });
    if shown {
        trace.rule(|| header.map(|header| header.shown().to_owned()));
        return Some(Reason::BypassHeader);
    }
    let custom = &snapshot.policy.custom;
    let found = (0..).zip(custom).find(|(_, custom)| (custom.admits)(facts));
    trace.step(Step::Custom, outcome_of(found.is_some()), || match found {
        Some((_, custom)) => format!("`{}` admits", custom.name),
        None => format!("none of {} custom exemptions admits", custom.len()),
    });
    let (number, custom) = found?;
    trace.rule(|| Some(custom.name.clone()));
    Some(Reason::Custom(number))
}

enum ByVisitor {
    Admitted {
        reason: Reason,
        logout: bool,
    },
    Refused {
        logout: bool,
        asks_for_visitor: bool,
    },
}

/// Step 9.
fn by_visitor(
    snapshot: &Snapshot,
    place: Place,
    mode: Mode,
    visitor: Visitor<'_>,
    trace: &mut impl Trace,
) -> ByVisitor {
    let allow = &*snapshot.policy.sites[usize::from(place.site)].allow;
    let logout = &snapshot.policy.logout;
    let logs_out = mode == Mode::Offline;
    let (by_visitor, rule) = match visitor {
        Visitor::Unknown => {
            let asks_for_visitor = allow.asks_for_visitor()
                || mode == Mode::Pending
                || logs_out
                    && (logout.authenticated
                        || logout.staff == Some(true)
                        || logout.superuser == Some(true));
            (
                ByVisitor::Refused {
                    logout: false,
                    asks_for_visitor,
                },
                None,
            )
        }
        Visitor::Anonymous if allow.anonymous => (
            ByVisitor::Admitted {
                reason: Reason::Anonymous,
                logout: false,
            },
            None,
        ),
        Visitor::Anonymous => (
            ByVisitor::Refused {
                logout: false,
                asks_for_visitor: false,
            },
            None,
        ),
        Visitor::User(user) => {
            let role = (0..)
                .zip(&allow.roles)
                .find(|(_, role)| user.roles.contains(&role.as_str()));
            if let Some((number, role)) = role {
                (
                    ByVisitor::Admitted {
                        reason: Reason::Role(number),
                        logout: false,
                    },
                    Some(role.as_str()),
                )
            } else if allow.authenticated {
                (
                    ByVisitor::Admitted {
                        reason: Reason::Authenticated,
                        logout: false,
                    },
                    None,
                )
            } else if mode == Mode::Pending && user.inside {
                (
                    ByVisitor::Admitted {
                        reason: Reason::Inside,
                        logout: false,
                    },
                    None,
                )
            } else {
                let logout = logs_out && logs_out_user(logout, user);
                // Logged out, he is anonymous, and a rule for anonymous visitors may let him in.
                if logout && allow.anonymous {
                    (
                        ByVisitor::Admitted {
                            reason: Reason::Anonymous,
                            logout,
                        },
                        None,
                    )
                } else {
                    (
                        ByVisitor::Refused {
                            logout,
                            asks_for_visitor: false,
                        },
                        None,
                    )
                }
            }
        }
    };
    match by_visitor {
        ByVisitor::Admitted { reason, logout } => {
            trace.step(Step::Visitor, Outcome::Allow, || {
                format!(
                    "{reason}{}",
                    if logout {
                        ", after being logged out"
                    } else {
                        ""
                    }
                )
            });
            trace.rule(|| rule.map(ToOwned::to_owned));
        }
        ByVisitor::Refused {
            logout,
            asks_for_visitor,
        } => {
            trace.step(Step::Visitor, Outcome::GoOn, || {
                match (visitor, asks_for_visitor) {
                    (Visitor::Unknown, true) => {
                        "the visitor was not looked up, and a rule asks who he is".to_owned()
                    }
                    (Visitor::Unknown, false) => "no rule asks who the visitor is".to_owned(),
                    (Visitor::Anonymous, _) => "an anonymous visitor is not exempt".to_owned(),
                    (Visitor::User(user), _) => format!(
                        "user `{}` with roles {:?} is not exempt{}",
                        user.id,
                        user.roles,
                        if logout { " and is logged out" } else { "" }
                    ),
                }
            });
        }
    }
    by_visitor
}

/// `superuser` goes before `staff`, which goes before the general setting.
fn logs_out_user(logout: &crate::policy::config::LogoutConfig, user: User<'_>) -> bool {
    let role = |name, setting: Option<bool>| setting.filter(|_| user.roles.contains(&name));
    role("superuser", logout.superuser)
        .or_else(|| role("staff", logout.staff))
        .unwrap_or(logout.authenticated)
}
