//! The sections of the configuration.

use serde::{Deserialize, Serialize};

use super::Secret;
use crate::answer::{AnswerConfig, FormatChoice};
use crate::policy::PathRuleConfig;
use crate::policy::paths::PathRuleTable;
use crate::state::Mode;

/// `[allow]`: who and what is let through although the site is not online.
///
/// In `[sites.NAME.allow]` each key that is given replaces the general one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AllowConfig {
    /// Exact paths that are always open. `/healthz`, `/livez` and `/readyz` when left out; `[]` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Vec<String>>,
    /// Path rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<PathRuleConfig>>,
    /// Addresses and networks, IPv4 and IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<String>>,
    /// Role names of logged-in visitors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Everybody who is logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<bool>,
    /// Everybody who is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous: Option<bool>,
    /// Requests of an application that runs under test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<bool>,
    /// A header with a secret value, for machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderConfig>,
}

impl AllowConfig {
    /// These settings, where `site` does not replace them.
    #[must_use]
    pub fn overlaid_by(&self, site: &Self) -> Self {
        let (a, b) = (site, self);
        Self {
            health: a.health.as_ref().or(b.health.as_ref()).cloned(),
            paths: a.paths.as_ref().or(b.paths.as_ref()).cloned(),
            addresses: a.addresses.as_ref().or(b.addresses.as_ref()).cloned(),
            roles: a.roles.as_ref().or(b.roles.as_ref()).cloned(),
            authenticated: a.authenticated.or(b.authenticated),
            anonymous: a.anonymous.or(b.anonymous),
            tests: a.tests.or(b.tests),
            header: a.header.as_ref().or(b.header.as_ref()).cloned(),
        }
    }
}

/// A bypass header: its name, and the value from exactly one of three places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderConfig {
    /// The field name; case does not count.
    pub name: String,
    /// The value itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Secret>,
    /// The environment variable that holds the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_env: Option<String>,
    /// The file that holds the value; a line end after it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_file: Option<String>,
}

impl HeaderConfig {
    /// A header with its value in the configuration.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: Some(value.into().into()),
            ..Self::default()
        }
    }
}

/// `[host]`: how the host of a request is found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostConfig {
    /// Where from.
    pub source: HostSource,
    /// What becomes of hosts that no site claims.
    pub unknown: UnknownHost,
}

/// Where the host is read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostSource {
    /// The target's authority and the `Host` field.
    #[default]
    Host,
    /// `X-Forwarded-Host`, from peers in `client_ip.trusted` only.
    XForwardedHost,
}

/// What becomes of hosts that no site claims, once sites are configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownHost {
    /// Blocked while any site is: a forged host must not reach the closed one.
    #[default]
    Strict,
    /// As the default site. Malformed hosts stay blocked while any site is.
    Open,
}

/// `[logout]`: who is logged out when he is blocked. Nobody by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogoutConfig {
    /// Every logged-in visitor whom nothing lets through.
    pub authenticated: bool,
    /// The same for the role `staff`, if given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff: Option<bool>,
    /// The same for the role `superuser`, if given; it goes before `staff`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superuser: Option<bool>,
    /// Cookies that the answer expires.
    pub cookies: Vec<String>,
}

/// `[read_only]`: what passes a read-only site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadOnlyConfig {
    /// Methods that only read, besides GET, HEAD, OPTIONS and QUERY.
    pub safe_methods: Vec<String>,
}

/// `[state]`: how the live switch follows the backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StateConfig {
    /// Seconds between reads when no hint comes; from 0.05 to 3600. Each wait varies by a fifth.
    pub poll_seconds: f64,
    /// What holds when the backend has not been read for three times the poll interval.
    pub on_stale: OnStale,
    /// What holds when the backend could never be read.
    pub initial: Initial,
    /// A file that keeps the last state that was read, for a start without the backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_known_good: Option<String>,
}

impl Default for StateConfig {
    fn default() -> Self {
        Self {
            poll_seconds: 5.0,
            on_stale: OnStale::Keep,
            initial: Initial::Online,
            last_known_good: None,
        }
    }
}

/// What holds when the state is stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnStale {
    /// The last known state.
    #[default]
    Keep,
    /// Every site is online.
    Online,
    /// Every site is offline.
    Offline,
}

/// What holds when the backend could never be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initial {
    /// Every site is online: a dead backend is the more common accident.
    #[default]
    Online,
    /// Every site is offline: where writing during a migration is the worse accident.
    Offline,
    /// The application does not start.
    RefuseStart,
}

/// `[sites.NAME]`: a set of hosts with a mode of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteConfig {
    /// Exact host names, and wildcards such as `*.example.com` for one label.
    pub hosts: Vec<String>,
    /// Pins this site's mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Replaces keys of `[allow]` for this site.
    pub allow: AllowConfig,
    /// Replaces keys of `[answer]` for this site.
    pub answer: AnswerConfig,
}

impl SiteConfig {
    /// A site with these hosts.
    pub fn hosts<H: Into<String>>(hosts: impl IntoIterator<Item = H>) -> Self {
        Self {
            hosts: hosts.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

/// A path rule with the answer's format for the paths that it matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerRuleConfig {
    /// `html`, `json`, `text`, `redirect`, or `auto` for the client's choice.
    pub format: FormatChoice,
    /// This path alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// This path and everything below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// `*` is one non-empty segment; a final `/**` is the base and all below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glob: Option<String>,
    /// A regular expression for the whole path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Only for these methods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
}

impl AnswerRuleConfig {
    /// The path part.
    #[must_use]
    pub fn rule(&self) -> PathRuleConfig {
        PathRuleConfig::Table(PathRuleTable {
            exact: self.exact.clone(),
            prefix: self.prefix.clone(),
            glob: self.glob.clone(),
            regex: self.regex.clone(),
            methods: self.methods.clone(),
            ..PathRuleTable::default()
        })
    }
}
