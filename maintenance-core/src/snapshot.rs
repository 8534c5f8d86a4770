//! One policy and one state, compiled together: all that a decision needs.

use std::sync::Arc;

use crate::answer::AnswerSet;
use crate::course::{Course, Segment};
use crate::decision::Reason;
use crate::host::{Host, HostBuffer, parse_single};
use crate::policy::config::{HostSource, UnknownHost};
use crate::policy::paths::{PathRuleConfig, PathRules};
use crate::policy::sites::{DEFAULT_SITE, HostMatch, SiteIndex};
use crate::policy::{AddressSet, Complaints, Policy};
use crate::request::{Facts, Single};
use crate::state::{ActivationId, Message, Mode, SiteName, SiteState, State};
use crate::time::Timestamp;

/// One policy and one state, immutable. Cheap to share, cheap to ask.
///
/// ```
/// use maintenance_mode::{Config, Decision, Facts, Mode, Policy, Snapshot, Timestamp};
/// use std::sync::Arc;
///
/// let policy = Policy::compile(Config::new().mode(Mode::Offline).allow_path("/robots.txt"))?;
/// let snapshot = Snapshot::new(Arc::new(policy), None);
/// let now = Timestamp::from_millis(0);
///
/// let robots = snapshot.decide(&Facts::new("GET", "/robots.txt"), now);
/// assert!(matches!(robots, Decision::Allow(_)));
///
/// let facts = Facts::new("GET", "/cart");
/// let Decision::Block(block) = snapshot.decide(&facts, now) else { panic!("should be closed") };
/// assert_eq!(block.answer(&facts).status(), 503);
/// # Ok::<(), maintenance_mode::policy::Complaints>(())
/// ```
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) policy: Arc<Policy>,
    state: Option<Arc<State>>,
    sites: Vec<SiteSnapshot>,
    strictest: Course,
    always_online: bool,
    warnings: Complaints,
}

#[derive(Debug)]
pub(crate) struct SiteSnapshot {
    course: Course,
    pub(crate) runtime: Option<Runtime>,
}

/// Exemptions that operators added at run time.
#[derive(Debug)]
pub(crate) struct Runtime {
    pub(crate) paths: PathRules,
    pub(crate) addresses: AddressSet,
}

/// Which course a request follows, and whose rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Whose exemptions and answers.
    pub(crate) site: SiteIndex,
    /// `None`: the site's own course. Otherwise the strictest one, and why.
    pub(crate) stricter: Option<Reason>,
}

impl Place {
    const fn own(site: SiteIndex) -> Self {
        Self {
            site,
            stricter: None,
        }
    }
}

/// What a site does at one moment, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SiteView {
    /// The mode in effect.
    pub mode: Mode,
    /// Whether the configuration pins it.
    pub pinned: bool,
    /// What visitors are told.
    pub message: Option<Message>,
    /// When it is expected to end.
    pub ends_at: Option<Timestamp>,
    /// The period of maintenance.
    pub activation: Option<ActivationId>,
    /// When the mode changes next by itself, and to which.
    pub next: Option<(Timestamp, Mode)>,
}

impl Snapshot {
    /// Compiles a state together with a policy; `None` is the state that was never changed.
    ///
    /// A run-time exemption that cannot be compiled is left out, which leaves the site closed for it, and
    /// is named in [`warnings`](Self::warnings).
    #[must_use]
    pub fn new(policy: Arc<Policy>, state: Option<Arc<State>>) -> Self {
        let mut warnings = Complaints::new();
        let sites: Vec<SiteSnapshot> = policy
            .sites
            .iter()
            .map(|site| {
                let state = state.as_ref().and_then(|state| state.site(&site.name));
                SiteSnapshot {
                    course: Course::of_site(site.pinned, state),
                    runtime: state
                        .and_then(|state| Runtime::compile(&site.name, state, &mut warnings)),
                }
            })
            .collect();
        let courses: Vec<&Course> = sites.iter().map(|site| &site.course).collect();
        let strictest = Course::strictest(&courses);
        let always_online = strictest.stays_online(Timestamp::MIN);
        Self {
            policy,
            state,
            sites,
            strictest,
            always_online,
            warnings,
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The state, if it was ever changed.
    #[must_use]
    pub fn state(&self) -> Option<&Arc<State>> {
        self.state.as_ref()
    }

    /// What in the state could not be used.
    #[must_use]
    pub const fn warnings(&self) -> &Complaints {
        &self.warnings
    }

    /// Whether every site is online at all times: no mode, no window, past or future.
    #[must_use]
    pub const fn is_always_online(&self) -> bool {
        self.always_online
    }

    /// Whether every site is online from `now` on, for all that is known.
    #[must_use]
    pub fn stays_online(&self, now: Timestamp) -> bool {
        self.always_online || self.strictest.stays_online(now)
    }

    /// When a site's mode changes next by itself.
    #[must_use]
    pub fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        self.sites
            .iter()
            .filter_map(|site| site.course.next_turn(now))
            .map(|turn| turn.from)
            .min()
    }

    /// Renders the answers that hold at `now` ahead of the first request that needs them.
    pub fn prepare(&self, now: Timestamp) {
        for (index, site) in self.sites.iter().enumerate() {
            let (_, segment) = site.course.at(now);
            if segment.mode != Mode::Online {
                let policy = &self.policy.sites[index];
                segment
                    .answers(&policy.name, &policy.answer.policy)
                    .prepare();
            }
        }
    }

    /// What a site does at `now`. `None` for a site that is not configured.
    #[must_use]
    pub fn site(&self, name: &SiteName, now: Timestamp) -> Option<SiteView> {
        let index = self
            .policy
            .sites
            .iter()
            .position(|site| site.name == *name)?;
        Some(self.view(&self.sites[index].course, index, now))
    }

    /// The site that a request belongs to, and what it does at `now`.
    ///
    /// Where authority and `Host` name two sites, it is the stricter one.
    #[must_use]
    pub fn site_of(&self, facts: &Facts<'_>, now: Timestamp) -> (&SiteName, SiteView) {
        let (first, second) = self.places(facts, now);
        let mode = |place: Place| self.course(place).at(now).1.mode;
        let place = second
            .filter(|second| mode(*second) > mode(first))
            .unwrap_or(first);
        let index = usize::from(place.site);
        (
            &self.policy.sites[index].name,
            self.view(self.course(place), index, now),
        )
    }

    fn view(&self, course: &Course, site: usize, now: Timestamp) -> SiteView {
        let (_, segment) = course.at(now);
        SiteView {
            mode: segment.mode,
            pinned: self.policy.sites[site].pinned.is_some(),
            message: segment.message.clone(),
            ends_at: segment.ends_at,
            activation: segment.activation,
            next: course.next_turn(now).map(|later| (later.from, later.mode)),
        }
    }

    pub(crate) fn runtime(&self, site: SiteIndex) -> Option<&Runtime> {
        self.sites[usize::from(site)].runtime.as_ref()
    }

    pub(crate) fn course(&self, place: Place) -> &Course {
        match place.stricter {
            None => &self.sites[usize::from(place.site)].course,
            Some(_) => &self.strictest,
        }
    }

    pub(crate) fn answers(&self, place: Place, segment: usize) -> &AnswerSet {
        let site = &self.policy.sites[usize::from(place.site)];
        let segment: &Segment = self.course(place).segment(segment);
        segment.answers(&site.name, &site.answer.policy)
    }

    /// Where the request belongs: one place, or two if authority and `Host` contradict each other.
    #[inline]
    pub(crate) fn places(&self, facts: &Facts<'_>, now: Timestamp) -> (Place, Option<Place>) {
        if self.policy.hosts.is_empty() {
            (Place::own(DEFAULT_SITE), None)
        } else {
            self.places_by_host(facts, now)
        }
    }

    fn places_by_host(&self, facts: &Facts<'_>, now: Timestamp) -> (Place, Option<Place>) {
        let policy = &*self.policy;
        let mut buffer = HostBuffer::default();
        if policy.host_source == HostSource::XForwardedHost
            && policy.client_ip.trusts_peer(facts.peer)
        {
            let forwarded = parse_single(facts.headers.single("x-forwarded-host"), &mut buffer);
            if let Some(host) = forwarded {
                return (self.place_of(policy.hosts.find(host), now), None);
            }
        }
        let authority = facts.authority.map(|authority| {
            policy
                .hosts
                .find(Host::parse(authority.as_bytes(), &mut buffer))
        });
        let mut buffer = HostBuffer::default();
        let host = match facts.headers.single("host") {
            Single::Absent => None,
            field => parse_single(field, &mut buffer).map(|host| policy.hosts.find(host)),
        };
        match (authority, host) {
            (Some(a), Some(b)) if a != b => (self.place_of(a, now), Some(self.place_of(b, now))),
            (Some(only), _) | (None, Some(only)) => (self.place_of(only, now), None),
            (None, None) => (self.place_of(HostMatch::Unknown, now), None),
        }
    }

    fn place_of(&self, host: HostMatch, now: Timestamp) -> Place {
        let stricter = match host {
            HostMatch::Site(site) => return Place::own(site),
            HostMatch::Unknown if self.policy.unknown_host == UnknownHost::Open => {
                return Place::own(DEFAULT_SITE);
            }
            HostMatch::Unknown => Reason::UnknownHost,
            HostMatch::Malformed => Reason::BadHost,
        };
        // Where the default site is as closed as any, it speaks for itself, with its own message.
        let own = self.sites[usize::from(DEFAULT_SITE)].course.at(now).1.mode;
        if own == self.strictest.at(now).1.mode {
            return Place::own(DEFAULT_SITE);
        }
        Place {
            site: DEFAULT_SITE,
            stricter: Some(stricter),
        }
    }
}

impl Runtime {
    fn compile(name: &SiteName, state: &SiteState, warnings: &mut Complaints) -> Option<Self> {
        let exemptions = &state.exemptions;
        if exemptions.is_empty() {
            return None;
        }
        let rules: Vec<PathRuleConfig> = exemptions
            .paths
            .iter()
            .map(|path| path.as_str().into())
            .collect();
        let place = format!("state of site {name}: exemptions");
        Some(Self {
            paths: PathRules::compile(
                &rules,
                Reason::RuntimePath,
                &format!("{place}.paths"),
                warnings,
            ),
            addresses: AddressSet::compile(
                &exemptions.addresses,
                &format!("{place}.addresses"),
                warnings,
            ),
        })
    }
}
