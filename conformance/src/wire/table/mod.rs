//! Requests of every form and decision step, and what the engine itself answers to them.
//!
//! `vectors/own-answers.json` is a list of groups: why they are there, the configuration as the TOML file
//! would have it, and the requests that it decides, as `maintenance explain --requests` reads them, each with
//! an `id`. A request without a method is sent as GET and as HEAD. A request with a `user` is sent with the
//! cookie of that user, who logs in first; its `roles` and `inside` are what the sample sites say of him.
//! There are no expectations: the engine has them.

mod wanted;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::vectors::{by_config, send_http1, send_http2};
use super::{Response, Site, Subject};
use crate::backend_suite::{Broken, broken};
use crate::ensure;
use crate::vectors::{self, Case, Expected};
use wanted::{Wanted, wanted};

/// Requests that one configuration decides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    why: String,
    config: toml::Table,
    requests: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    #[serde(flatten)]
    request: Map<String, Value>,
}

/// What a site answered to one request of the table.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The request's name.
    pub id: String,
    /// Its method.
    pub method: String,
    /// Why it is in the table.
    pub why: String,
    /// Whether the engine lets the request through.
    pub admitted: bool,
    /// The answer.
    pub response: Response,
}

/// Sends the whole table, and holds every answer against the engine's own.
///
/// # Errors
///
/// Every answer that differs, and what differs.
pub fn answers_as_the_engine_does(subject: &Subject) -> Result<(), Broken> {
    hold_against_the_engine(subject, cases()?, send_http1)
}

/// The same with every request that HTTP/2 can carry.
///
/// # Errors
///
/// Every answer that differs, and what differs.
pub fn answers_over_http_2_as_the_engine_does(subject: &Subject) -> Result<(), Broken> {
    if !subject.framework.http2 {
        return Ok(());
    }
    let mut carried = Vec::new();
    for case in cases()?.iter().filter_map(over_http2) {
        // Some frameworks answer HEAD with a body of their own, which their HTTP/1 drops and their HTTP/2
        // sends: a protocol error that has nothing to do with maintenance.
        if method(&case) != "HEAD" || matches!(wanted(&case)?, Wanted::Answer(_)) {
            carried.push(case);
        }
    }
    hold_against_the_engine(subject, carried, send_http2)
}

fn hold_against_the_engine(
    subject: &Subject,
    cases: Vec<Case>,
    send: impl Fn(&Site, &Case) -> Result<Response, Broken>,
) -> Result<(), Broken> {
    let mut failures = Vec::new();
    let mut sent = 0;
    for (config, cases) in by_config(cases)? {
        let site = Site::start(subject.program(), &config)?;
        for case in cases {
            let answered = logged_in(&site, &case).and_then(|case| send(&site, &case));
            sent += 1;
            let failure = answered_otherwise(subject, &case, answered)?;
            let (id, why, method) = (&case.id, &case.why, method(&case));
            failures.extend(failure.map(|failure| format!("{id} {method} ({why}): {failure}")));
        }
    }
    println!("{sent} sent");
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    ensure!(sent > 180, "only {sent} requests");
    Ok(())
}

/// How an answer differs from the engine's; `None`: in nothing.
fn answered_otherwise(
    subject: &Subject,
    case: &Case,
    answered: Result<Response, Broken>,
) -> Result<Option<String>, Broken> {
    let response = match answered {
        Ok(response) => response,
        Err(error) => return Ok(Some(error.to_string())),
    };
    let framework = &subject.framework;
    Ok(if framework.refuses(method(case)) {
        (response.status != 400).then(|| format!("{} and no 400", response.status))
    } else if framework.answers_apart.contains(&case.id.as_str()) {
        (!response.is_maintenance()).then(|| format!("{} and not blocked", response.status))
    } else {
        wanted(case)?.missed_by(&response, framework, method(case))
    })
}

/// Sends the whole table to a program.
///
/// # Errors
///
/// It does not start, or does not answer.
pub fn answers_of(program: &Path) -> Result<Vec<Answered>, Broken> {
    let mut answers = Vec::new();
    for (config, cases) in by_config(cases()?)? {
        let site = Site::start(program, &config)?;
        for case in cases {
            answers.push(Answered {
                response: send_http1(&site, &logged_in(&site, &case)?)?,
                admitted: matches!(wanted(&case)?, Wanted::Application { .. }),
                method: method(&case).to_owned(),
                id: case.id,
                why: case.why,
            });
        }
    }
    Ok(answers)
}

fn method(case: &Case) -> &str {
    case.request["method"].as_str().unwrap_or_default()
}

/// Every request, and each GET as HEAD too.
fn cases() -> Result<Vec<Case>, Broken> {
    let groups: Vec<Group> =
        vectors::parse("own-answers.json").map_err(|error| broken(error.to_string()))?;
    let mut cases = Vec::new();
    for group in groups {
        for row in group.requests {
            let mut request = row.request;
            request.insert("peer".to_owned(), "127.0.0.1".into());
            request
                .entry("headers")
                .or_insert_with(|| Value::Array(Vec::new()));
            let methods = match request.get("method").and_then(Value::as_str) {
                None => vec!["GET".to_owned(), "HEAD".to_owned()],
                Some(method) => vec![method.to_owned()],
            };
            for method in methods {
                let mut request = request.clone();
                request.insert("method".to_owned(), method.as_str().into());
                cases.push(Case {
                    id: row.id.clone(),
                    group: "answers".to_owned(),
                    why: group.why.clone(),
                    refused_by_parsers: false,
                    config: group.config.to_string(),
                    modes: BTreeMap::new(),
                    request: Value::Object(request),
                    expected: Expected::verdict(false),
                    via_http_crate: None,
                });
            }
        }
    }
    Ok(cases)
}

/// The case with its host in `:authority`; `None` for targets and fields that only HTTP/1 has.
fn over_http2(case: &Case) -> Option<Case> {
    let mut case = case.clone();
    let target = case.request["target"].as_str()?;
    let fields = case.request["headers"].as_array()?;
    let is_named = |field: &Value, name: &str| {
        let own = field[0].as_str();
        own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    };
    if !target.starts_with('/') || fields.iter().any(|field| is_named(field, "connection")) {
        return None;
    }
    let host = fields.iter().find(|field| is_named(field, "host"));
    let authority = host.map_or_else(|| "localhost".into(), |host| host[1].clone());
    let others = fields.iter().filter(|field| !is_named(field, "host"));
    case.request["headers"] = others.cloned().collect();
    case.request["authority"] = authority;
    Some(case)
}

/// The case with the cookie of its user, who logs in first, so `/login` must be open to him.
fn logged_in(site: &Site, case: &Case) -> Result<Case, Broken> {
    let mut case = case.clone();
    if let Some(user) = case.request["user"].as_str() {
        let cookie = vec![Value::from("Cookie"), site.log_in(user)?.into()];
        if let Some(fields) = case.request["headers"].as_array_mut() {
            fields.push(cookie.into());
        }
    }
    Ok(case)
}
