//! Cases about paths, methods, headers and hosts.

use std::collections::BTreeMap;

use maintenance_mode::{Mode, SiteName};
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Table;

use super::{Case, Expected, VectorError, strings, with_modes, without_health, write};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCase {
    id: String,
    group: String,
    mode: RawMode,
    rule: Option<Rule>,
    request: Map<String, Value>,
    expected: Outcome,
    why: String,
    #[serde(default, rename = "refs")]
    _refs: Vec<String>,
    #[serde(default)]
    layer: Layer,
    via_http_crate: Option<Outcome>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawMode {
    Full,
    ReadOnly,
    Site,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Layer {
    #[default]
    Engine,
    Parser400,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Exempt,
    Open,
    Blocked,
    ConfigError,
}

/// The one exemption of the policy, or its sites.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Rule {
    Prefix(PathRule),
    Exact(PathRule),
    Glob(PathRule),
    Regex(PathRule),
    Asterisk { methods: Option<Vec<String>> },
    All { methods: Option<Vec<String>> },
    BypassHeader { name: String, value: String },
    Sites(Sites),
}

#[derive(Deserialize)]
struct PathRule {
    path: String,
    methods: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Sites {
    sites: BTreeMap<String, SiteMode>,
    unknown_host: Unknown,
    host_source: String,
    #[serde(default)]
    trusted_peers: Vec<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SiteMode {
    Maintenance,
    ReadOnly,
    Open,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unknown {
    BlockedIfAny,
    Open,
}

impl RawCase {
    pub(super) fn into_case(self) -> Result<Case, VectorError> {
        let modes = self.modes().map_err(|problem| VectorError::Case {
            id: self.id.clone(),
            problem,
        })?;
        Ok(Case {
            config: self.config(),
            request: with_modes(self.request, &modes),
            modes,
            refused_by_parsers: self.layer == Layer::Parser400,
            expected: self.expected.expected(),
            via_http_crate: self.via_http_crate.map(Outcome::expected),
            id: self.id,
            group: self.group,
            why: self.why,
        })
    }

    fn modes(&self) -> Result<BTreeMap<SiteName, Mode>, String> {
        let mode = match (self.mode, &self.rule) {
            (RawMode::Full, _) => Mode::Offline,
            (RawMode::ReadOnly, _) => Mode::ReadOnly,
            (RawMode::Site, Some(Rule::Sites(sites))) => return sites.modes(),
            (RawMode::Site, _) => return Err("the mode `site` needs sites".to_owned()),
        };
        Ok(BTreeMap::from([(SiteName::default(), mode)]))
    }

    fn config(&self) -> String {
        let mut allow = without_health();
        match &self.rule {
            None => {}
            Some(Rule::BypassHeader { name, value }) => {
                let header = [("name", name), ("value", value)]
                    .map(|(key, text)| (key.to_owned(), text.as_str().into()));
                allow.insert("header".to_owned(), Table::from_iter(header).into());
            }
            Some(Rule::Sites(sites)) => return sites.config(allow),
            Some(rule) => {
                if let Some(rule) = rule.path_rule() {
                    allow.insert("paths".to_owned(), vec![toml::Value::Table(rule)].into());
                }
            }
        }
        write([("allow", allow)])
    }
}

impl Outcome {
    const fn expected(self) -> Expected {
        match self {
            Self::Exempt | Self::Open => Expected::verdict(true),
            Self::Blocked => Expected::verdict(false),
            Self::ConfigError => Expected::ConfigError,
        }
    }
}

impl Rule {
    fn path_rule(&self) -> Option<Table> {
        let (key, value, methods): (_, toml::Value, _) = match self {
            Self::Prefix(rule) => ("prefix", rule.path.as_str().into(), &rule.methods),
            Self::Exact(rule) => ("exact", rule.path.as_str().into(), &rule.methods),
            Self::Glob(rule) => ("glob", rule.path.as_str().into(), &rule.methods),
            Self::Regex(rule) => ("regex", rule.path.as_str().into(), &rule.methods),
            Self::Asterisk { methods } => ("asterisk", true.into(), methods),
            Self::All { methods } => ("all", true.into(), methods),
            Self::BypassHeader { .. } | Self::Sites(_) => return None,
        };
        let mut table = Table::new();
        table.insert(key.to_owned(), value);
        if let Some(methods) = methods {
            table.insert("methods".to_owned(), strings(methods));
        }
        Some(table)
    }
}

impl Sites {
    /// Hosts have characters that names of sites do not, so sites are numbered.
    fn name(number: usize) -> String {
        format!("site-{}", number + 1)
    }

    fn modes(&self) -> Result<BTreeMap<SiteName, Mode>, String> {
        self.sites
            .values()
            .enumerate()
            .map(|(number, mode)| {
                let name = Self::name(number)
                    .parse()
                    .map_err(|error| format!("{error}"))?;
                let mode = match mode {
                    SiteMode::Maintenance => Mode::Offline,
                    SiteMode::ReadOnly => Mode::ReadOnly,
                    SiteMode::Open => Mode::Online,
                };
                Ok((name, mode))
            })
            .collect()
    }

    fn config(&self, allow: Table) -> String {
        let unknown = match self.unknown_host {
            Unknown::BlockedIfAny => "strict",
            Unknown::Open => "open",
        };
        let host = [("source", self.host_source.as_str()), ("unknown", unknown)]
            .map(|(key, text)| (key.to_owned(), text.into()));
        let mut client_ip = Table::new();
        client_ip.insert("trusted".to_owned(), strings(&self.trusted_peers));
        let sites = self.sites.keys().enumerate().map(|(number, host)| {
            let hosts = strings(std::slice::from_ref(host));
            let site = Table::from_iter([("hosts".to_owned(), hosts)]);
            (Self::name(number), toml::Value::Table(site))
        });
        write([
            ("allow", allow),
            ("host", Table::from_iter(host)),
            ("client_ip", client_ip),
            ("sites", sites.collect()),
        ])
    }
}
