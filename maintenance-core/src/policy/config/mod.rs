//! The configuration: one meaning in TOML, in serde structures, in builder methods and in the environment.
//!
//! [`Config`] is the form that people write; [`super::Policy`] is the compiled form. Nothing in here
//! decides anything.

mod environment;
mod file;
mod secret;
mod sections;

pub use environment::process_environment;
pub use file::{Loaded, LoadedPolicy};
pub use secret::Secret;
pub use sections::{
    AllowConfig, AnswerRuleConfig, HeaderConfig, HostConfig, HostSource, Initial, LogoutConfig,
    OnStale, ReadOnlyConfig, SiteConfig, StateConfig, UnknownHost,
};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::PathRuleConfig;
use crate::answer::AnswerConfig;
use crate::client_ip::ClientIpConfig;
use crate::state::{Mode, SiteName};

/// Everything that can be configured. An empty one is valid: nothing is exempt but the health endpoints,
/// state is in `file:maintenance-state.json`, and blocked visitors get the built-in page.
///
/// ```
/// use maintenance_mode::{Config, Policy};
///
/// let config = Config::from_toml(
///     r#"
///     [allow]
///     paths = ["/robots.txt", { prefix = "/admin" }]
///     addresses = ["192.0.2.0/24"]
///     "#,
/// )?;
/// assert_eq!(config, Config::new().allow_path("/robots.txt")
///     .allow_path(maintenance_mode::PathRuleConfig::prefix("/admin"))
///     .allow_address("192.0.2.0/24"));
/// let policy = Policy::compile(config)?;
/// # Ok::<(), maintenance_mode::policy::Complaints>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where state lives: any backend URL. `file:maintenance-state.json` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Pins the mode of every site; the switch is then refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Who and what is let through although the site is not online.
    pub allow: AllowConfig,
    /// How the host of a request is found.
    pub host: HostConfig,
    /// How the client's address is found.
    pub client_ip: ClientIpConfig,
    /// Who is logged out when he is blocked.
    pub logout: LogoutConfig,
    /// What a blocked visitor gets.
    pub answer: AnswerConfig,
    /// What reads only.
    pub read_only: ReadOnlyConfig,
    /// How the live switch follows the backend.
    pub state: StateConfig,
    /// Sites with hosts of their own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sites: BTreeMap<SiteName, SiteConfig>,
}

/// Where state lives when nothing is configured.
pub const DEFAULT_BACKEND: &str = "file:maintenance-state.json";

impl Config {
    /// The default configuration.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The backend's URL.
    #[must_use]
    pub fn backend_url(&self) -> &str {
        self.backend.as_deref().unwrap_or(DEFAULT_BACKEND)
    }

    /// Sets `backend`.
    #[must_use]
    pub fn backend(mut self, url: impl Into<String>) -> Self {
        self.backend = Some(url.into());
        self
    }

    /// Sets `mode`: pins the mode of every site.
    #[must_use]
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Sets `allow.health`.
    #[must_use]
    pub fn health<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.allow.health = Some(paths.into_iter().map(Into::into).collect());
        self
    }

    /// Adds to `allow.paths`.
    #[must_use]
    pub fn allow_path(mut self, rule: impl Into<PathRuleConfig>) -> Self {
        self.allow.paths.get_or_insert_default().push(rule.into());
        self
    }

    /// Adds to `allow.addresses`.
    #[must_use]
    pub fn allow_address(mut self, network: impl Into<String>) -> Self {
        self.allow
            .addresses
            .get_or_insert_default()
            .push(network.into());
        self
    }

    /// Adds to `allow.roles`.
    #[must_use]
    pub fn allow_role(mut self, role: impl Into<String>) -> Self {
        self.allow.roles.get_or_insert_default().push(role.into());
        self
    }

    /// Sets `allow.authenticated`.
    #[must_use]
    pub const fn allow_authenticated(mut self, yes: bool) -> Self {
        self.allow.authenticated = Some(yes);
        self
    }

    /// Sets `allow.anonymous`.
    #[must_use]
    pub const fn allow_anonymous(mut self, yes: bool) -> Self {
        self.allow.anonymous = Some(yes);
        self
    }

    /// Sets `allow.tests`.
    #[must_use]
    pub const fn allow_tests(mut self, yes: bool) -> Self {
        self.allow.tests = Some(yes);
        self
    }

    /// Sets `allow.header`.
    #[must_use]
    pub fn allow_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.allow.header = Some(HeaderConfig::new(name, value));
        self
    }

    /// Sets `client_ip`.
    #[must_use]
    pub fn client_ip(mut self, client_ip: ClientIpConfig) -> Self {
        self.client_ip = client_ip;
        self
    }

    /// Sets `host`.
    #[must_use]
    pub const fn host(mut self, host: HostConfig) -> Self {
        self.host = host;
        self
    }

    /// Sets `logout`.
    #[must_use]
    pub fn logout(mut self, logout: LogoutConfig) -> Self {
        self.logout = logout;
        self
    }

    /// Sets `answer`.
    #[must_use]
    pub fn answer(mut self, answer: AnswerConfig) -> Self {
        self.answer = answer;
        self
    }

    /// Adds a site.
    #[must_use]
    pub fn site(mut self, name: SiteName, site: SiteConfig) -> Self {
        self.sites.insert(name, site);
        self
    }
}
