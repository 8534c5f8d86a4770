//! The same walk as [`Snapshot::decide`], with every step written down.

mod request_line;
mod what_if;

pub use request_line::{ProxyLine, RequestLine, RequestLineError, TimeLine};
pub use what_if::UnknownSite;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::client_ip::ClientIp;
use crate::decide::{Outcome, Request, Step, Trace, walk};
use crate::decision::{Block, Decision, SnapshotRef};
use crate::request::Facts;
use crate::snapshot::{Place, Snapshot};
use crate::state::{Mode, SiteName};
use crate::time::Timestamp;

/// Why a request is let through or blocked, for people and, as JSON, for programs.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// `allow` or `block`: what `decide` says of the same facts.
    pub decision: Verdict,
    /// The stable code of the reason.
    pub reason: &'static str,
    /// The rule that admitted, as configured.
    pub rule: Option<String>,
    /// The site whose rules held.
    pub site: SiteName,
    /// The mode in effect there.
    pub mode: Mode,
    /// The client's address, if it could be resolved.
    pub client_ip: Option<std::net::IpAddr>,
    /// The same in words: with the reason, where it could not.
    pub client: String,
    /// Whether the visitor is logged out.
    pub logout: bool,
    /// What a blocked visitor gets.
    pub answer: Option<AnswerSummary>,
    /// What was compared, in order.
    pub steps: Vec<StepTaken>,
}

/// The decision in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Let through.
    Allow,
    /// Answered here.
    Block,
}

/// What a blocked visitor gets.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct AnswerSummary {
    /// `html`, `json`, `text`, `redirect`, …
    pub format: String,
    /// The status code.
    pub status: u16,
    /// The fields, names in lower case.
    pub headers: BTreeMap<String, String>,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StepTaken {
    /// Which.
    pub step: Step,
    /// What came of it.
    pub outcome: Outcome,
    /// What was compared.
    pub detail: String,
}

#[derive(Default)]
struct Record {
    steps: Vec<StepTaken>,
    rule: Option<String>,
}

impl Trace for Record {
    fn step(&mut self, step: Step, outcome: Outcome, detail: impl FnOnce() -> String) {
        self.steps.push(StepTaken {
            step,
            outcome,
            detail: detail(),
        });
    }

    fn rule(&mut self, rule: impl FnOnce() -> Option<String>) {
        self.rule = rule();
    }
}

impl Snapshot {
    /// Says what [`decide`](Self::decide) says, and why.
    #[must_use]
    pub fn explain(&self, facts: &Facts<'_>, now: Timestamp) -> Explanation {
        let request = Request::new(facts);
        let mut record = Record::default();
        let (first, second) = self.places(facts, now);
        record.step(Step::Host, Outcome::GoOn, || {
            self.host_in_words(first, second)
        });
        let mut place = first;
        let mut verdict = walk(self, first, &request, now, &mut record);
        if let Some(second) = second.filter(|_| verdict.allowed) {
            place = second;
            record.step(Step::Host, Outcome::GoOn, || {
                "now for the other host that it names".to_owned()
            });
            record.rule = None;
            verdict = walk(self, second, &request, now, &mut record);
        }
        let client = request.client_ip(self);
        let block = (!verdict.allowed).then_some(Block {
            reason: verdict.reason,
            logout: verdict.logout,
            asks_for_visitor: verdict.asks_for_visitor,
            place,
            segment: verdict.segment,
            now,
            snapshot: SnapshotRef::Borrowed(self),
        });
        Explanation {
            decision: if verdict.allowed {
                Verdict::Allow
            } else {
                Verdict::Block
            },
            reason: verdict.reason.code(),
            rule: record.rule,
            site: self.policy.sites[usize::from(place.site)].name.clone(),
            mode: self.course(place).at(now).1.mode,
            client_ip: client.known(),
            client: client_in_words(client),
            logout: verdict.logout,
            answer: block.map(|block| summarise(&block, facts)),
            steps: record.steps,
        }
    }

    fn host_in_words(&self, first: Place, second: Option<Place>) -> String {
        let name = |place: Place| {
            let site = &self.policy.sites[usize::from(place.site)].name;
            match place.stricter {
                None => format!("site `{site}`"),
                Some(reason) => format!("no site ({reason})"),
            }
        };
        match second {
            _ if self.policy.hosts.is_empty() => "one site for every host".to_owned(),
            None => name(first),
            Some(second) => format!(
                "contradiction: {} by the target, {} by the Host field; both must let it through",
                name(first),
                name(second)
            ),
        }
    }
}

fn client_in_words(client: ClientIp) -> String {
    client.to_string()
}

fn summarise(block: &Block<'_>, facts: &Facts<'_>) -> AnswerSummary {
    let answer = block.answer(facts);
    let mut headers = BTreeMap::new();
    answer.for_each_field(|name, value| {
        let value = String::from_utf8_lossy(value).into_owned();
        headers
            .entry(name.to_ascii_lowercase())
            .and_modify(|old: &mut String| {
                old.push_str(", ");
                old.push_str(&value);
            })
            .or_insert(value);
    });
    AnswerSummary {
        format: answer.format().to_string(),
        status: answer.status(),
        headers,
    }
}

/// A decision in one line, for logs.
impl std::fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verdict = if self.is_allowed() { "allow" } else { "block" };
        write!(f, "{verdict}: {}", self.reason())
    }
}
