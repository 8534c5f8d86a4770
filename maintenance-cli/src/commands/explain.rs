//! `maintenance explain`.

use std::sync::Arc;

use jiff::tz::TimeZone;
use maintenance_mode::explain::{Explanation, RequestLine, Verdict};
use maintenance_mode::{SiteName, Snapshot, Timestamp};

use super::requests;
use crate::arguments::{ExplainArguments, Global};
use crate::exit::{Exit, Failure};
use crate::output::{BAD, BOLD, DIM, GOOD, Output, field, styled, visible};
use crate::settings::Settings;
use crate::when;

pub(super) async fn run(
    global: &Global,
    mut arguments: ExplainArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let settings = Settings::load(global, output)?;
    let at = match &arguments.at {
        None => None,
        Some(text) => Some(
            when::time(text, when::now(), &TimeZone::system())
                .map_err(|error| Failure::usage(format!("--at: {error}")))?,
        ),
    };
    let snapshot = Arc::new(snapshot(&settings, &arguments, output).await?);
    if let Some(file) = arguments.requests.take() {
        return requests::answer_all(&file, &snapshot, at, output);
    }
    let line = request(arguments)?;
    let explanation = explain(&line, &snapshot, at);
    if output.json {
        output.json(&explanation);
    } else {
        report(&line, &explanation, output);
    }
    Ok(Exit::Done)
}

/// The state that is asked about. With `--mode` it is made up, and no backend is opened.
async fn snapshot(
    settings: &Settings,
    arguments: &ExplainArguments,
    output: &mut Output,
) -> Result<Snapshot, Failure> {
    let policy = Arc::clone(&settings.policy);
    let base = match arguments.mode {
        Some(mode) => {
            let sites: Vec<SiteName> = policy.site_names().cloned().collect();
            Snapshot::new(policy, None)
                .with_modes(sites.iter().map(|site| (site, mode)))
                .map_err(|error| Failure::usage(error.to_string()))?
        }
        None if settings.is_in_memory() => {
            output.note(
                "state in `memory:` cannot be seen from here: this is what happens if nobody has switched; \
                 --mode MODE asks about a mode",
            );
            Snapshot::new(policy, None)
        }
        None => {
            let state = match settings.backend() {
                Ok(backend) => backend.load().await.map_err(|e| Failure::unread(&e)),
                Err(failure) => Err(failure),
            };
            let state = state.map_err(|failure| Failure {
                message: format!(
                    "{}\n  hint: --mode MODE asks what would happen in a mode, without a backend",
                    failure.message
                ),
                ..failure
            })?;
            Snapshot::new(policy, state.map(Arc::new))
        }
    };
    for site in settings.policy.site_names() {
        let asked = arguments.mode.is_some() || arguments.site_modes.iter().any(|(s, _)| s == site);
        if let Some(mode) = settings.policy.pinned_mode(site).filter(|_| asked) {
            let by = settings.pinned_by(site);
            output.note(format_args!(
                "site `{site}` stays {mode}: {by} pins it, which beats any other mode"
            ));
        }
    }
    if arguments.site_modes.is_empty() {
        return Ok(base);
    }
    let modes = arguments
        .site_modes
        .iter()
        .map(|(site, mode)| (site, *mode));
    base.with_modes(modes)
        .map_err(|error| Failure::usage(format!("--site-mode: {error}")))
}

fn request(arguments: ExplainArguments) -> Result<RequestLine, Failure> {
    let mut words = arguments.request.into_iter();
    let (method, target) = match (words.next(), words.next()) {
        (Some(method), Some(target)) => (Some(method), target),
        (Some(target), None) => (None, target),
        (None, _) => return Err(Failure::usage("give the request's target, such as /cart")),
    };
    if let (Some(first), Some(second)) = (&method, &arguments.method) {
        return Err(Failure::usage(format!(
            "the method is given twice, as `{first}` and as `{second}`"
        )));
    }
    let mut line = RequestLine::new(target);
    line.method = method.or(arguments.method);
    line.headers = arguments.facts.headers;
    if let Some(host) = arguments.host {
        line.headers.insert(0, ("Host".to_owned(), host));
    }
    line.peer = arguments.facts.peer;
    line.user = arguments.user;
    line.roles = arguments.roles;
    line.authenticated = arguments.authenticated.then_some(true);
    line.test = arguments.test;
    line.check()
        .map_err(|error| Failure::usage(error.to_string()))?;
    Ok(line)
}

/// The answer of one request at one time.
pub(super) fn explain(
    line: &RequestLine,
    snapshot: &Snapshot,
    at: Option<Timestamp>,
) -> Explanation {
    let now = line.time().or(at).unwrap_or_else(when::now);
    line.with_facts(|facts| snapshot.explain(facts, now))
}

fn report(line: &RequestLine, explanation: &Explanation, output: &mut Output) {
    output.line(verdict(line, explanation));
    output.line(field(
        "site",
        format_args!("{}, {}", explanation.site, explanation.mode),
    ));
    match &line.peer {
        None => output.line(field("client", "not known: no --peer was given")),
        Some(_) => output.line(field("client", &explanation.client)),
    }
    if explanation.logout {
        output.line(field("visitor", "is logged out"));
    }
    output.line(styled(BOLD, "steps"));
    for (number, step) in explanation.steps.iter().enumerate() {
        let name = in_json(&step.step);
        let outcome = match in_json(&step.outcome).as_str() {
            "allow" => styled(GOOD, "allow"),
            "block" => styled(BAD, "block"),
            _ => styled(DIM, "-    "),
        };
        output.line(format_args!(
            "  {:>2}. {outcome} {DIM}{name:<14}{DIM:#} {}",
            number + 1,
            visible(&step.detail)
        ));
    }
    if let Some(answer) = &explanation.answer {
        output.line(styled(
            BOLD,
            format_args!("answer: {} {}", answer.status, answer.format),
        ));
        for (name, value) in &answer.headers {
            output.line(format_args!("  {DIM}{name}:{DIM:#} {}", visible(value)));
        }
    }
}

fn verdict(line: &RequestLine, explanation: &Explanation) -> String {
    let method = visible(line.method.as_deref().unwrap_or("GET"));
    let target = visible(line.target.as_deref().unwrap_or_default());
    let why = match &explanation.rule {
        Some(rule) => format!("{}: {}", explanation.reason, visible(rule)),
        None => explanation.reason.to_owned(),
    };
    match explanation.decision {
        Verdict::Allow => format!("{} {method} {target} ({why})", styled(GOOD, "allowed")),
        Verdict::Block => format!("{} {method} {target} ({why})", styled(BAD, "blocked")),
    }
}

/// The stable name of a value, as in JSON.
fn in_json(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}
