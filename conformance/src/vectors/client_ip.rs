//! Cases about client addresses. The site is offline, and addresses are the only exemption.

use std::collections::BTreeMap;
use std::net::IpAddr;

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
    config: RawConfig,
    request: Map<String, Value>,
    expected: RawExpected,
    why: String,
    #[serde(default, rename = "refs")]
    _refs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    source: String,
    trusted: Vec<String>,
    allow: Vec<String>,
    hops: Option<u16>,
    trust_unix: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawExpected {
    ConfigError {
        #[serde(rename = "config_error")]
        _config_error: bool,
    },
    Answer {
        client_ip: Option<IpAddr>,
        exempt: bool,
    },
}

impl RawCase {
    pub(super) fn into_case(mut self) -> Result<Case, VectorError> {
        let modes = BTreeMap::from([(SiteName::default(), Mode::Offline)]);
        self.request
            .entry("target")
            .or_insert_with(|| Value::from("/"));
        Ok(Case {
            config: self.config.to_toml(),
            request: with_modes(self.request, &modes),
            modes,
            refused_by_parsers: false,
            expected: match self.expected {
                RawExpected::ConfigError { .. } => Expected::ConfigError,
                RawExpected::Answer { client_ip, exempt } => Expected::Verdict {
                    allowed: exempt,
                    client_ip: Some(client_ip.into()),
                },
            },
            via_http_crate: None,
            id: self.id,
            group: self.group,
            why: self.why,
        })
    }
}

impl RawConfig {
    fn to_toml(&self) -> String {
        let mut allow = without_health();
        allow.insert("addresses".to_owned(), strings(&self.allow));
        let mut client_ip = Table::new();
        client_ip.insert("source".to_owned(), self.source.as_str().into());
        client_ip.insert("trusted".to_owned(), strings(&self.trusted));
        if let Some(hops) = self.hops {
            client_ip.insert("hops".to_owned(), i64::from(hops).into());
        }
        if let Some(trust) = self.trust_unix {
            client_ip.insert("trust_unix".to_owned(), trust.into());
        }
        write([("allow", allow), ("client_ip", client_ip)])
    }
}
