//! The compiled policy: everything that the author configured, ready to be compared.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::allow::{Allow, health_rules};
use super::config::{Config, HostSource, LogoutConfig, SiteConfig, UnknownHost};
use super::method::Methods;
use super::paths::{PathRule, PathRules, add_rules};
use super::sites::{DEFAULT_SITE, HostIndex, HostMatch, SiteIndex};
use super::{Complaints, PathRuleConfig};
use crate::answer::{
    AnswerConfig, AnswerPolicy, ContextFn, CustomAnswer, CustomFn, FormatChoice, Notice,
};
use crate::client_ip::ClientIpPolicy;
use crate::decision::Reason;
use crate::host::{Host, HostBuffer};
use crate::request::Facts;
use crate::state::{Mode, SiteName};

/// An application's own predicate; `true` admits.
pub type CustomPredicate = dyn Fn(&Facts<'_>) -> bool + Send + Sync;

/// A compiled configuration together with the application's own functions.
///
/// Compiling finds everything that is wrong at once. See [`Policy::builder`] for functions.
#[derive(Debug)]
pub struct Policy {
    pub(crate) config: Config,
    pub(crate) sites: Vec<SitePolicy>,
    pub(crate) hosts: HostIndex,
    pub(crate) host_source: HostSource,
    pub(crate) unknown_host: UnknownHost,
    pub(crate) client_ip: ClientIpPolicy,
    pub(crate) logout: LogoutConfig,
    pub(crate) safe_methods: Methods,
    pub(crate) custom: Vec<Custom>,
    warnings: Complaints,
}

/// One site's part of the policy.
#[derive(Debug)]
pub(crate) struct SitePolicy {
    pub(crate) name: SiteName,
    pub(crate) pinned: Option<Mode>,
    pub(crate) allow: Arc<Allow>,
    /// Everything that opens by its path: health endpoints, the redirect's target, assets, path rules.
    pub(crate) paths: Arc<PathRules>,
    pub(crate) answer: Arc<SiteAnswer>,
}

/// How a site answers.
#[derive(Debug)]
pub(crate) struct SiteAnswer {
    pub(crate) policy: Arc<AnswerPolicy>,
    pub(crate) rules: Vec<(PathRules, FormatChoice)>,
}

/// A named predicate of the application.
pub(crate) struct Custom {
    pub(crate) name: String,
    pub(crate) admits: Arc<CustomPredicate>,
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Puts a configuration and the application's own functions together.
#[derive(Default)]
#[must_use]
pub struct PolicyBuilder {
    config: Config,
    base: std::path::PathBuf,
    custom: Vec<Custom>,
    context: Option<ContextFn>,
    answer: Option<CustomFn>,
}

impl fmt::Debug for PolicyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyBuilder")
            .field("config", &self.config)
            .field("custom", &self.custom)
            .finish_non_exhaustive()
    }
}

impl PolicyBuilder {
    /// The folder that relative paths of the configuration start from; the working folder when left out.
    pub fn base(mut self, folder: impl AsRef<Path>) -> Self {
        self.base = folder.as_ref().to_path_buf();
        self
    }

    /// Adds a custom exemption. They are asked in order, after every cheaper rule; any `true` admits.
    ///
    /// The name appears in `explain` and in logs. The predicate must be quick and must not block; a panic
    /// in it is a panic in the request.
    pub fn custom(
        mut self,
        name: impl Into<String>,
        admits: impl Fn(&Facts<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.custom.push(Custom {
            name: name.into(),
            admits: Arc::new(admits),
        });
        self
    }

    /// Gives the template values of its own for each request; the page is then rendered per request.
    pub fn context(
        mut self,
        context: impl Fn(&Facts<'_>, &Notice) -> minijinja::Value + Send + Sync + 'static,
    ) -> Self {
        self.context = Some(Arc::new(context));
        self
    }

    /// Chooses or makes the answer for each request; `None` leaves it to the configuration.
    pub fn answer(
        mut self,
        answer: impl Fn(&Facts<'_>, &Notice) -> Option<CustomAnswer> + Send + Sync + 'static,
    ) -> Self {
        self.answer = Some(Arc::new(answer));
        self
    }

    /// Compiles.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once.
    pub fn build(self) -> Result<Policy, Complaints> {
        let mut complaints = Complaints::new();
        let mut warnings = Complaints::new();
        let policy = self.compile(&mut complaints, &mut warnings);
        complaints.say_inherited_once();
        warnings.say_inherited_once();
        complaints.none_or(Policy { warnings, ..policy })
    }

    fn compile(self, complaints: &mut Complaints, warnings: &mut Complaints) -> Policy {
        let config = &self.config;
        let poll = config.state.poll_seconds;
        if !(0.05..=3600.0).contains(&poll) {
            complaints.add_with_hint(
                "state.poll_seconds",
                format_args!("{poll} is out of range"),
                "give between 0.05 and 3600 seconds",
            );
        }
        let client_ip = ClientIpPolicy::compile(&config.client_ip, "client_ip", complaints);
        if config.host.source == HostSource::XForwardedHost && config.client_ip.trusted.is_empty() {
            complaints.add_with_hint(
                "host.source",
                "x-forwarded-host can be forged by anybody whose peer is not checked",
                "name the proxies in client_ip.trusted",
            );
        }
        check_cookies(&config.logout, complaints);
        for (index, custom) in self.custom.iter().enumerate() {
            if custom.name.trim().is_empty() {
                complaints.add(format_args!("custom exemption {index}"), "needs a name");
            }
        }
        let (sites, hosts) = self.compile_sites(complaints, warnings);
        Policy {
            sites,
            hosts,
            host_source: config.host.source,
            unknown_host: config.host.unknown,
            client_ip,
            logout: config.logout.clone(),
            safe_methods: Methods::compile(
                &config.read_only.safe_methods,
                "read_only.safe_methods",
                complaints,
            ),
            custom: self.custom,
            config: self.config,
            warnings: Complaints::new(),
        }
    }

    fn compile_sites(
        &self,
        complaints: &mut Complaints,
        warnings: &mut Complaints,
    ) -> (Vec<SitePolicy>, HostIndex) {
        let config = &self.config;
        let mut hosts = HostIndex::default();
        let allow = Arc::new(Allow::compile(
            &config.allow,
            "allow",
            &self.base,
            complaints,
            warnings,
        ));
        let answer = Arc::new(self.compile_answer(&config.answer, "answer", complaints));
        let none = SiteConfig::default();
        let paths = Arc::new(self.compile_paths(&none, None, &answer.policy, complaints));
        let mut sites = vec![SitePolicy {
            name: SiteName::default(),
            pinned: config.mode,
            allow: Arc::clone(&allow),
            paths: Arc::clone(&paths),
            answer: Arc::clone(&answer),
        }];
        if config.sites.len() >= usize::from(SiteIndex::MAX) {
            complaints.add(
                "sites",
                format_args!(
                    "there are {} sites; at most 65534 are kept",
                    config.sites.len()
                ),
            );
            return (sites, hosts);
        }
        for (name, site) in &config.sites {
            let place = format!("sites.{name}");
            if name.is_default() {
                complaints.add_with_hint(
                    &place,
                    "`default` is every host that no site claims",
                    "configure it with the keys outside `sites`",
                );
                continue;
            }
            let index = SiteIndex::try_from(sites.len()).unwrap_or(DEFAULT_SITE);
            if site.hosts.is_empty() {
                complaints.add_with_hint(
                    format_args!("{place}.hosts"),
                    "a site without hosts is never chosen",
                    "name its hosts, such as [\"shop.example.com\"]",
                );
            }
            hosts.add(name, site, index, complaints);
            let own_allow = (site.allow != Default::default()).then(|| {
                let merged = config.allow.overlaid_by(&site.allow);
                Arc::new(Allow::compile(
                    &merged,
                    &format!("{place}.allow"),
                    &self.base,
                    complaints,
                    warnings,
                ))
            });
            let own_answer = (site.answer != AnswerConfig::default()).then(|| {
                let merged = config.answer.overlaid_by(&site.answer);
                Arc::new(self.compile_answer(&merged, &format!("{place}.answer"), complaints))
            });
            let own_answer = own_answer.unwrap_or_else(|| Arc::clone(&answer));
            let inherits = own_allow.is_none() && Arc::ptr_eq(&own_answer, &answer);
            let own_paths = (!inherits).then(|| {
                Arc::new(self.compile_paths(site, Some(name), &own_answer.policy, complaints))
            });
            refuse_circle(&own_answer, &hosts, index, &place, complaints);
            sites.push(SitePolicy {
                name: name.clone(),
                pinned: site.mode.or(config.mode),
                allow: own_allow.unwrap_or_else(|| Arc::clone(&allow)),
                paths: own_paths.unwrap_or_else(|| Arc::clone(&paths)),
                answer: own_answer,
            });
        }
        (sites, hosts)
    }

    /// Each list is compiled under the name of the section that gives it.
    fn compile_paths(
        &self,
        site: &SiteConfig,
        name: Option<&SiteName>,
        answer: &AnswerPolicy,
        complaints: &mut Complaints,
    ) -> PathRules {
        let place = |own: bool, key: &str| match name.filter(|_| own) {
            Some(name) => format!("sites.{name}.{key}"),
            None => key.to_owned(),
        };
        let general = &self.config;
        let mut rules = Vec::new();

        let at = place(site.allow.health.is_some(), "allow.health");
        let health = site.allow.health.as_ref().or(general.allow.health.as_ref());
        let health = health_rules(health.map(Vec::as_slice), &at, complaints);
        add_rules(&mut rules, &health, Reason::Health, &at, complaints);

        let target = answer.redirect_path().map(PathRuleConfig::exact);
        let at = place(site.answer.redirect.is_some(), "answer.redirect");
        add_rules(
            &mut rules,
            target.as_slice(),
            Reason::RedirectTarget,
            &at,
            complaints,
        );

        let at = place(site.answer.assets.is_some(), "answer.assets");
        let assets = site
            .answer
            .assets
            .as_ref()
            .or(general.answer.assets.as_ref());
        let assets = assets.map(Vec::as_slice).unwrap_or_default();
        add_rules(&mut rules, assets, Reason::Asset, &at, complaints);

        let at = place(site.allow.paths.is_some(), "allow.paths");
        let paths = site.allow.paths.as_ref().or(general.allow.paths.as_ref());
        let paths = paths.map(Vec::as_slice).unwrap_or_default();
        add_rules(&mut rules, paths, Reason::Path, &at, complaints);
        PathRules::from_rules(rules, &at, complaints)
    }

    fn compile_answer(
        &self,
        config: &AnswerConfig,
        place: &str,
        complaints: &mut Complaints,
    ) -> SiteAnswer {
        let mut policy = AnswerPolicy::compile(config, place, &self.base, complaints);
        if let Some(context) = &self.context {
            policy = policy.with_context(Arc::clone(context));
        }
        if let Some(answer) = &self.answer {
            policy = policy.with_custom(Arc::clone(answer));
        }
        let mut rules = Vec::new();
        for (index, rule) in config.rules.iter().flatten().enumerate() {
            let place = format!("{place}.rules[{index}]");
            if rule.format == FormatChoice::Redirect && config.redirect.is_none() {
                complaints.add_with_hint(
                    format_args!("{place}.format"),
                    "redirect needs a target",
                    "give answer.redirect",
                );
            }
            let compiled =
                PathRule::compile(&rule.rule(), Reason::Path, &|| place.clone(), complaints);
            let compiled = compiled.into_iter().collect();
            rules.push((
                PathRules::from_rules(compiled, &place, complaints),
                rule.format,
            ));
        }
        SiteAnswer {
            policy: Arc::new(policy),
            rules,
        }
    }
}

/// A whole URL on a host of the site itself would lead back to the closed site: only a path is kept open.
fn refuse_circle(
    answer: &SiteAnswer,
    hosts: &HostIndex,
    site: SiteIndex,
    place: &str,
    complaints: &mut Complaints,
) {
    let location = answer.policy.redirect_location().unwrap_or_default();
    let Some((_, rest)) = location.split_once("://") else {
        return;
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let mut buffer = HostBuffer::default();
    if hosts.find(Host::parse(authority.as_bytes(), &mut buffer)) == HostMatch::Site(site) {
        complaints.add_with_hint(
            format_args!("{place}.answer.redirect"),
            format_args!(
                "`{location}` is on a host of the site itself: visitors would go in a circle"
            ),
            "write the path alone, which is then kept open",
        );
    }
}

fn check_cookies(logout: &LogoutConfig, complaints: &mut Complaints) {
    for (index, name) in logout.cookies.iter().enumerate() {
        let is_token = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if !is_token {
            complaints.add_with_hint(
                format_args!("logout.cookies[{index}]"),
                format_args!("`{name}` is not a cookie name"),
                "write the name alone, without value and attributes",
            );
        }
    }
}

impl Policy {
    /// Compiles a configuration that needs no functions of the application.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once.
    pub fn compile(config: Config) -> Result<Self, Complaints> {
        Self::builder(config).build()
    }

    /// Begins with a configuration.
    pub fn builder(config: Config) -> PolicyBuilder {
        PolicyBuilder {
            config,
            ..PolicyBuilder::default()
        }
    }

    /// The configuration that this was compiled from.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What is odd without being wrong.
    #[must_use]
    pub const fn warnings(&self) -> &Complaints {
        &self.warnings
    }

    /// The names of all sites; the default one comes first.
    pub fn site_names(&self) -> impl Iterator<Item = &SiteName> {
        self.sites.iter().map(|site| &site.name)
    }

    /// Whether a site of this name is configured. `default` always is.
    #[must_use]
    pub fn has_site(&self, name: &SiteName) -> bool {
        self.site_names().any(|known| known == name)
    }

    /// The mode that the configuration pins for this site, if it does.
    #[must_use]
    pub fn pinned_mode(&self, name: &SiteName) -> Option<Mode> {
        self.sites
            .iter()
            .find(|site| site.name == *name)
            .and_then(|site| site.pinned)
    }

    /// How the client's address is found.
    #[must_use]
    pub const fn client_ip(&self) -> &ClientIpPolicy {
        &self.client_ip
    }

    /// Whether closing one site also closes hosts that no site claims.
    #[must_use]
    pub fn closes_unknown_hosts(&self) -> bool {
        !self.hosts.is_empty() && self.unknown_host == UnknownHost::Strict
    }

    /// How long the live switch waits between reads when no hint comes.
    #[must_use]
    pub fn poll_interval(&self) -> std::time::Duration {
        std::time::Duration::from_secs_f64(self.config.state.poll_seconds)
    }

    /// Cookies that the answer expires when it logs a visitor out.
    #[must_use]
    pub fn logout_cookies(&self) -> &[String] {
        &self.logout.cookies
    }

    /// Whether some visitor is ever logged out, so that an adapter needs the application's functions for
    /// it.
    #[must_use]
    pub fn logs_out(&self) -> bool {
        let LogoutConfig {
            authenticated,
            staff,
            superuser,
            ..
        } = self.logout;
        authenticated || staff == Some(true) || superuser == Some(true)
    }
}
