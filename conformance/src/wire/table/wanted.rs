//! What the engine itself answers.

use maintenance_mode::answer::expired_cookie;
use maintenance_mode::{Decision, Facts, RouteOverride, Timestamp};

use crate::backend_suite::{Broken, broken};
use crate::vectors::Case;
use crate::wire::{Framework, Response, Same};

/// What the engine wants to be answered.
#[derive(Debug)]
pub(super) enum Wanted {
    /// This.
    Answer(Same),
    /// Whatever the application says, with these cookies expired.
    Application {
        /// The values of `Set-Cookie`.
        expired: Vec<String>,
    },
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

/// What the engine says to a case.
pub(super) fn wanted(case: &Case) -> Result<Wanted, Broken> {
    let broken = |error: &dyn std::fmt::Display| broken(format!("{}: {error}", case.id));
    let policy = case.policy().map_err(|error| broken(&error))?;
    let snapshot = case.snapshot(policy).map_err(|error| broken(&error))?;
    let mut line = case.request_line().map_err(|error| broken(&error))?;
    let has_host = line
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"));
    if !has_host && line.authority.is_none() {
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
    /// How a response misses it; `None`: in nothing.
    pub(super) fn missed_by(
        self,
        response: &Response,
        framework: &Framework,
        method: &str,
    ) -> Option<String> {
        match self {
            Self::Answer(wanted) => wanted
                .left_by(framework, method)
                .difference(&Same::of(response, framework.adds_fields)),
            Self::Application { expired } => {
                let set: Vec<&str> = response.values("set-cookie").collect();
                let fits = !response.is_maintenance() && set == expired;
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
