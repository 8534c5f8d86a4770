//! Cases as data, in the one form that everything can be asked in: a configuration as TOML, a request as
//! `maintenance explain` reads it, and the expected verdict.
//!
//! The engine, the command line and every adapter on a real socket run the same cases.

mod client_ip;
mod in_process;
mod path;

pub use in_process::in_process;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use maintenance_mode::explain::{RequestLine, RequestLineError};
use maintenance_mode::policy::Complaints;
use maintenance_mode::{Config, Mode, Policy, SiteName, Snapshot};
use serde::Deserialize;
use serde_json::{Map, Value};

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, such as `P001`.
    pub id: String,
    /// What it is about, such as `B-dot-segments`.
    pub group: String,
    /// Why the expectation is right.
    pub why: String,
    /// Whether HTTP parsers refuse the request before any middleware sees it.
    pub refused_by_parsers: bool,
    /// The configuration.
    pub config: String,
    /// The plain mode of each site. They are part of [`request`](Self::request) too, as `site_modes`.
    pub modes: BTreeMap<SiteName, Mode>,
    /// The request, as one line for `maintenance explain --requests` holds it.
    pub request: Value,
    /// What must come out.
    pub expected: Expected,
    /// What must come out where the `http` crate has read the target first, if that differs.
    pub via_http_crate: Option<Expected>,
}

/// What must come out of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The configuration is refused.
    ConfigError,
    /// A verdict on the request.
    Verdict {
        /// Whether the request is let through.
        allowed: bool,
        /// The client's address, in cases that are about it.
        client_ip: Option<ClientAddress>,
    },
}

/// The client's address as it must be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// This one.
    Known(IpAddr),
    /// None.
    Unresolved,
}

impl Expected {
    pub(crate) const fn verdict(allowed: bool) -> Self {
        Self::Verdict {
            allowed,
            client_ip: None,
        }
    }
}

impl From<Option<IpAddr>> for ClientAddress {
    fn from(address: Option<IpAddr>) -> Self {
        address.map_or(Self::Unresolved, Self::Known)
    }
}

/// A file of cases cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorError {
    /// It cannot be read.
    #[error("{file}: {source}")]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what is expected here.
    #[error("{file}: {source}")]
    Json {
        /// Which.
        file: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A case has something that cannot be mapped.
    #[error("{id}: {problem}")]
    Case {
        /// Which.
        id: String,
        /// What.
        problem: String,
    },
}

/// A file with cases: its name in `conformance/vectors/`, and how many it has at least.
pub const FILES: [(&str, usize); 4] = [
    ("path.json", 126),
    ("own-path.json", 334),
    ("client-ip.json", 60),
    ("own-client-ip.json", 260),
];

/// The cases of one of the [`FILES`].
///
/// # Errors
///
/// [`VectorError`].
pub fn read(name: &str) -> Result<Vec<Case>, VectorError> {
    if name.ends_with("client-ip.json") {
        parse::<client_ip::RawCase>(name)?
            .into_iter()
            .map(client_ip::RawCase::into_case)
            .collect()
    } else {
        parse::<path::RawCase>(name)?
            .into_iter()
            .map(path::RawCase::into_case)
            .collect()
    }
}

/// Every case of every file.
///
/// # Errors
///
/// [`VectorError`]; a file with fewer cases than it must have is one too.
pub fn all() -> Result<Vec<Case>, VectorError> {
    let mut cases = Vec::new();
    for (name, at_least) in FILES {
        let more = read(name)?;
        if more.len() < at_least {
            return Err(VectorError::Case {
                id: name.to_owned(),
                problem: format!("has {} cases, fewer than {at_least}", more.len()),
            });
        }
        cases.extend(more);
    }
    Ok(cases)
}

pub(crate) fn parse<T: for<'de> Deserialize<'de>>(name: &str) -> Result<Vec<T>, VectorError> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(name);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(source) => return Err(VectorError::Read { file, source }),
    };
    serde_json::from_str(&text).map_err(|source| VectorError::Json { file, source })
}

impl Case {
    /// The compiled configuration.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, which some cases expect.
    pub fn policy(&self) -> Result<Policy, Complaints> {
        Policy::compile(Config::from_toml(&self.config)?)
    }

    /// The request as the engine reads it.
    ///
    /// # Errors
    ///
    /// The case is not a request.
    pub fn request_line(&self) -> Result<RequestLine, RequestLineError> {
        self.request.to_string().parse()
    }

    /// The snapshot that decides it.
    ///
    /// # Errors
    ///
    /// The case names modes of sites that it does not configure.
    pub fn snapshot(&self, policy: Policy) -> Result<Arc<Snapshot>, RequestLineError> {
        let base = Arc::new(Snapshot::new(Arc::new(policy), None));
        self.request_line()?.snapshot(&base)
    }
}

/// A request with the modes of its sites.
fn with_modes(mut request: Map<String, Value>, modes: &BTreeMap<SiteName, Mode>) -> Value {
    let modes = modes
        .iter()
        .map(|(site, mode)| (site.to_string(), mode.as_str().into()))
        .collect();
    request.insert("site_modes".to_owned(), Value::Object(modes));
    Value::Object(request)
}

/// No default that opens something may take part in a case.
fn without_health() -> toml::Table {
    let mut allow = toml::Table::new();
    allow.insert("health".to_owned(), toml::Value::Array(Vec::new()));
    allow
}

fn write(tables: impl IntoIterator<Item = (&'static str, toml::Table)>) -> String {
    let config: toml::Table = tables
        .into_iter()
        .map(|(key, table)| (key.to_owned(), toml::Value::Table(table)))
        .collect();
    config.to_string()
}

fn strings(texts: &[String]) -> toml::Value {
    toml::Value::Array(texts.iter().cloned().map(toml::Value::String).collect())
}
