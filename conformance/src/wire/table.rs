//! Requests of every form and decision step, from `vectors/own-answers.json`, and what the engine itself
//! answers to them.

use std::collections::BTreeMap;
use std::path::Path;

use maintenance_mode::answer::expired_cookie;
use maintenance_mode::{Decision, Facts, RouteOverride, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::vectors::{by_config, send_http1};
use super::{Response, Same, Site, Subject};
use crate::backend_suite::{Broken, broken};
use crate::ensure;
use crate::vectors::{self, Case, Expected};

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

/// What the engine wants to be answered.
#[derive(Debug)]
enum Wanted {
    /// This.
    Answer(Same),
    /// Whatever the application says, with these cookies expired.
    Application {
        /// The values of `Set-Cookie`.
        expired: Vec<String>,
    },
}

/// What a site answered to one request of the table.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The request's name, and its method.
    pub id: String,
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
    let mut failures = Vec::new();
    let mut sent = 0;
    for (config, cases) in by_config(cases()?)? {
        let site = Site::start(subject.program(), &config)?;
        for case in cases {
            let wanted = wanted(&case)?;
            let response = send(&site, &case)?;
            sent += 1;
            if let Some(failure) = wanted.missed_by(&response, subject.framework.adds_fields) {
                failures.push(format!("{} ({}): {failure}", case.id, case.why));
            }
        }
    }
    println!("{sent} sent");
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    ensure!(sent > 140, "only {sent} requests");
    Ok(())
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
            let response = send(&site, &case)?;
            answers.push(Answered {
                admitted: matches!(wanted(&case)?, Wanted::Application { .. }),
                id: case.id,
                why: case.why,
                response,
            });
        }
    }
    Ok(answers)
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
                    id: format!("{} {method}", row.id),
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

/// What the sample sites say of their routes.
fn with_route<'a>(facts: Facts<'a>) -> Facts<'a> {
    match facts.path {
        "/always-open" => facts.route_override(Some(RouteOverride::ForceOff)),
        "/always-closed" => facts.route_override(Some(RouteOverride::ForceOn)),
        "/maintenance/status" => facts.control(true),
        _ => facts,
    }
}

fn wanted(case: &Case) -> Result<Wanted, Broken> {
    let broken = |error: &dyn std::fmt::Display| broken(format!("{}: {error}", case.id));
    let policy = case.policy().map_err(|error| broken(&error))?;
    let snapshot = case.snapshot(policy).map_err(|error| broken(&error))?;
    let mut line = case.request_line().map_err(|error| broken(&error))?;
    if !line
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        line.headers
            .push(("Host".to_owned(), "localhost".to_owned()));
    }
    let now = Timestamp::from(std::time::SystemTime::now());
    let cookies = |names: &[String]| {
        names
            .iter()
            .map(|name| expired_cookie(name))
            .collect::<Vec<_>>()
    };
    line.with_facts(|facts| {
        let facts = with_route(*facts);
        match snapshot.decide(&facts, now) {
            Decision::Allow(allow) => Ok(Wanted::Application {
                expired: if allow.logout {
                    cookies(snapshot.policy().logout_cookies())
                } else {
                    Vec::new()
                },
            }),
            Decision::Block(block) => {
                let answer = block.answer(&facts);
                let mut fields = Vec::new();
                answer.for_each_field(|name, value| {
                    fields.push((name.to_owned(), String::from_utf8_lossy(value).into_owned()));
                });
                let length = answer.content_length();
                fields.extend(length.map(|bytes| ("content-length".to_owned(), bytes.to_string())));
                let expired = cookies(block.expired_cookies());
                fields.extend(
                    expired
                        .into_iter()
                        .map(|value| ("set-cookie".to_owned(), value)),
                );
                let body = answer.body_for(facts.method);
                Ok(Wanted::Answer(Same::new(
                    answer.status(),
                    fields,
                    &body,
                    &[],
                )))
            }
            other => Err(broken(&format_args!(
                "a decision that nobody knows: {other:?}"
            ))),
        }
    })
}

impl Wanted {
    fn missed_by(&self, response: &Response, added: &[&str]) -> Option<String> {
        match self {
            Self::Answer(wanted) => wanted.difference(&Same::of(response, added)),
            Self::Application { expired } => {
                let set: Vec<&str> = response.values("set-cookie").collect();
                let fits = !response.is_maintenance() && set == *expired;
                (!fits).then(|| {
                    format!(
                        "must come through: {} {:?}",
                        response.status, response.fields
                    )
                })
            }
        }
    }
}

/// Sends a case. Its user logs in first, so `/login` must be open to him.
fn send(site: &Site, case: &Case) -> Result<Response, Broken> {
    let mut case = case.clone();
    if let Some(user) = case.request["user"].as_str() {
        let cookie = site.log_in(user)?;
        let cookie = vec![Value::from("Cookie"), cookie.into()];
        if let Some(fields) = case.request["headers"].as_array_mut() {
            fields.push(cookie.into());
        }
    }
    send_http1(site, &case)
}
