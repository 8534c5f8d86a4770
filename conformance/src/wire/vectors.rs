//! The vectors over a socket.

use std::collections::BTreeMap;
use std::fmt;

use maintenance_mode::Timestamp;

use super::{Connection, Framework, Response, Site, Subject, http2_request};
use crate::backend_suite::{Broken, broken};
use crate::vectors::{self, Case, Expected};

/// Why a case cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It is about a configuration that is refused.
    ConfigError,
    /// It is about HTTP/2, which the framework does not speak in cleartext.
    Http2,
    /// It is about a host that is named in the target, which the framework does not keep.
    Authority,
    /// It is about what another framework's router or form handling makes of the request.
    OtherView,
    /// It is about a PROXY protocol header, which the sample sites do not read.
    ProxyHeader,
    /// Its outcome depends on a peer that this machine is not.
    Peer,
    /// It has a line break where HTTP/1.1 cannot have one.
    NotOneLine,
}

/// What became of all cases.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many were sent.
    pub sent: usize,
    /// How many sites were started.
    pub sites: usize,
    /// How many were not, and why.
    pub left_out: BTreeMap<LeftOut, usize>,
    /// What went wrong.
    pub failures: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sent to {} sites", self.sent, self.sites)?;
        for (why, count) in &self.left_out {
            write!(f, ", {count} left out: {why:?}")?;
        }
        Ok(())
    }
}

/// Fewer cases than this cannot be all.
const FEWEST: usize = 400;

/// Sends every case that can be sent; each must be decided as it says.
///
/// # Errors
///
/// The cases that were not, or hardly any were sent.
pub fn all_hold(subject: &Subject, refused: &[&str]) -> Result<(), Broken> {
    let tally = run(subject, refused)?;
    println!("{tally}");
    crate::ensure!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    crate::ensure!(tally.sent > FEWEST, "only {tally}");
    Ok(())
}

/// Sends every case that can be sent, one site for each configuration.
///
/// `refused` names the cases that the framework's parser refuses with 400 although others may not; each of
/// them must be refused so.
///
/// # Errors
///
/// The cases cannot be read, or a site cannot be started.
pub fn run(subject: &Subject, refused: &[&str]) -> Result<Tally, Broken> {
    let mut tally = Tally::default();
    let mut can_be_sent = Vec::new();
    for case in vectors::all().map_err(|error| broken(error.to_string()))? {
        match why_not(&case, &subject.framework)? {
            Some(why) => *tally.left_out.entry(why).or_default() += 1,
            None => can_be_sent.push(case),
        }
    }
    for (config, cases) in &by_config(can_be_sent)? {
        let site = Site::start(subject.program(), config)?;
        tally.sites += 1;
        for case in cases {
            tally.sent += 1;
            let id = case.id.as_str();
            let is_apart = subject.framework.answers_apart.contains(&id);
            if let Err(failure) = send(&site, case, refused.contains(&id), is_apart) {
                tally
                    .failures
                    .push(format!("{}: {failure} ({})", case.id, case.why));
            }
        }
    }
    Ok(tally)
}

/// Why a case cannot be sent, if it cannot.
fn why_not(case: &Case, framework: &Framework) -> Result<Option<LeftOut>, Broken> {
    let request = &case.request;
    let has = |key: &str| !request[key].is_null();
    Ok(if case.expected == Expected::ConfigError {
        Some(LeftOut::ConfigError)
    } else if is_http2(case) && !framework.http2 {
        Some(LeftOut::Http2)
    } else if is_absolute_form(case) && case.config.contains("[sites") && !framework.keeps_authority
    {
        Some(LeftOut::Authority)
    } else if has("routed_path") || has("effective_method") || has("inner_path") {
        Some(LeftOut::OtherView)
    } else if has("proxy_protocol") {
        Some(LeftOut::ProxyHeader)
    } else if verdict_from(case, None)? != verdict_from(case, Some("127.0.0.1"))? {
        Some(LeftOut::Peer)
    } else if !is_http2(case) && head(case).is_none() {
        Some(LeftOut::NotOneLine)
    } else {
        None
    })
}

fn is_absolute_form(case: &Case) -> bool {
    let target = case.request["target"].as_str().unwrap_or_default();
    !target.starts_with('/') && target.contains("://")
}

/// Whether only HTTP/2 has what the case has.
fn is_http2(case: &Case) -> bool {
    let version = case.request["http_version"].as_str().unwrap_or("1.1");
    version.starts_with('2') || !case.request["authority"].is_null()
}

/// Whether the engine lets the case through, from its own peer or from another one.
fn verdict_from(case: &Case, peer: Option<&str>) -> Result<bool, Broken> {
    let mut case = case.clone();
    if let Some(peer) = peer {
        case.request["peer"] = peer.into();
    }
    let broken = |error: &dyn fmt::Display| broken(format!("{}: {error}", case.id));
    let policy = case.policy().map_err(|error| broken(&error))?;
    let snapshot = case.snapshot(policy).map_err(|error| broken(&error))?;
    let line = case.request_line().map_err(|error| broken(&error))?;
    let now = Timestamp::from_millis(1_795_000_000_000);
    Ok(line.with_facts(|facts| snapshot.decide(facts, now).is_allowed()))
}

/// Cases that one site can answer, by the site's configuration.
pub(super) fn by_config(cases: Vec<Case>) -> Result<BTreeMap<String, Vec<Case>>, Broken> {
    let mut by_config: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in cases {
        by_config.entry(site_config(&case)?).or_default().push(case);
    }
    Ok(by_config)
}

/// The case's configuration with its modes pinned.
fn site_config(case: &Case) -> Result<String, Broken> {
    let mut config: toml::Table = case
        .config
        .parse()
        .map_err(|error| broken(format!("{}: {error}", case.id)))?;
    config.insert("backend".to_owned(), "memory:".into());
    for (site, mode) in &case.modes {
        let table = if site.is_default() {
            Some(&mut config)
        } else {
            config
                .get_mut("sites")
                .and_then(|sites| sites.get_mut(site.as_str())?.as_table_mut())
        };
        table
            .ok_or_else(|| broken(format!("{}: site `{site}` is not configured", case.id)))?
            .insert("mode".to_owned(), mode.as_str().into());
    }
    Ok(config.to_string())
}

/// The request's method and its bytes; `None` if it does not fit into lines.
///
/// HTTP/1.1 must have a `Host`, so a case without one gets one. Where sites make it matter that there is
/// none, the case is sent in HTTP/1.0, which needs none (RFC 9112, section 3.2).
fn head(case: &Case) -> Option<(String, Vec<u8>)> {
    let request = &case.request;
    let method = request["method"].as_str().unwrap_or("GET");
    let target = request["target"].as_str().unwrap_or("/");
    let mut fields: Vec<(&str, &str)> = Vec::new();
    for field in request["headers"].as_array().into_iter().flatten() {
        fields.push((field[0].as_str()?, field[1].as_str()?));
    }
    let has_host = fields
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"));
    let mut version = request["http_version"].as_str().unwrap_or("1.1");
    match (has_host, case.config.contains("[sites")) {
        (true, _) => {}
        (false, true) => version = "1.0",
        (false, false) => fields.push(("Host", "localhost")),
    }
    let mut lines = vec![format!("{method} {target} HTTP/{version}")];
    lines.extend(
        fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    let whole = lines.iter().all(|line| !line.contains(['\r', '\n']));
    whole.then(|| {
        (
            method.to_owned(),
            format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes(),
        )
    })
}

fn send(site: &Site, case: &Case, refused: bool, is_apart: bool) -> Result<(), Broken> {
    let expected = case.via_http_crate.unwrap_or(case.expected);
    let Expected::Verdict { allowed, .. } = expected else {
        return Err(broken("expects no verdict"));
    };
    let allowed = allowed && !is_apart;
    let response = if is_http2(case) {
        send_http2(site, case)?
    } else {
        send_http1(site, case)?
    };
    let fits = match response.status {
        400 => refused || case.refused_by_parsers,
        _ => !refused && response.is_maintenance() != allowed,
    };
    if fits {
        return Ok(());
    }
    Err(broken(format!(
        "expected {}, got {} {:?}",
        if allowed {
            "to come through"
        } else {
            "to be blocked"
        },
        response.status,
        response.fields
    )))
}

pub(super) fn send_http1(site: &Site, case: &Case) -> Result<Response, Broken> {
    let (method, bytes) = head(case).ok_or_else(|| broken("is not one request"))?;
    let mut connection = Connection::open(site.address())?;
    connection.send(&bytes)?;
    connection.response(&method)
}

pub(super) fn send_http2(site: &Site, case: &Case) -> Result<Response, Broken> {
    let request = &case.request;
    let text = |key: &str| request[key].as_str();
    let fields: Vec<(&str, &str)> = request["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|field| Some((field[0].as_str()?, field[1].as_str()?)))
        .collect();
    let method = text("method").unwrap_or("GET");
    let target = text("target").unwrap_or("/");
    let request = http2_request(method, text("authority"), target, &fields)?;
    let connection = site.connect_http2()?;
    let exchange = connection.begin(request, true)?;
    Ok(connection.finish(exchange)?.0)
}
