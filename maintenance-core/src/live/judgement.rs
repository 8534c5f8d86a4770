//! What an adapter does with a request: the decision in the form that it carries out.

use std::sync::Arc;

use super::{Maintenance, now};
use crate::decision::{Block, Decision};
use crate::logging;
use crate::policy::Policy;
use crate::request::Facts;
use crate::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::verdict::Admission;

/// What becomes of a request that was decided about. `A` is an answer in the framework's types.
#[derive(Debug)]
#[must_use = "a judgement that nobody carries out closes nothing"]
pub enum Judgement<A> {
    /// Let it through.
    Pass(Pass),
    /// Answer it here.
    Answer {
        /// The answer; it expires the session's cookies already, if it must.
        answer: A,
        /// The visitor's session must be ended first.
        logs_out: bool,
    },
}

/// The request goes through.
#[derive(Clone, Debug)]
#[must_use]
pub struct Pass {
    /// To be left with the request, for status extractors and loggers.
    pub admission: Admission,
    /// `Some`: the visitor's session must be ended first, and the response must expire the cookies that
    /// this policy names ([`Policy::logout_cookies`]).
    pub logs_out: Option<Arc<Policy>>,
}

impl Maintenance {
    /// What becomes of a request. `answer` makes the answer of a block, of which the span that is current
    /// is told ([`logging`]).
    ///
    /// This takes the snapshot and asks the clock even while every site is online: ask
    /// [`is_quiet`](Self::is_quiet) first. The request must be counted before either
    /// ([`InFlight`](super::InFlight)).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use maintenance_mode::live::Judgement;
    /// use maintenance_mode::{Config, Facts, Maintenance, Mode};
    ///
    /// let maintenance = Maintenance::start(Config::new().backend("memory:").mode(Mode::Offline)).await?;
    /// let status = |facts: &Facts<'_>| match maintenance.judge(facts, |block, facts| block.answer(facts).status()) {
    ///     Judgement::Pass(_) => 200,
    ///     Judgement::Answer { answer, .. } => answer,
    /// };
    /// assert_eq!(status(&Facts::new("GET", "/healthz")), 200);
    /// assert_eq!(status(&Facts::new("GET", "/cart")), 503);
    /// # Ok(()) }
    /// ```
    pub fn judge<A>(
        &self,
        facts: &Facts<'_>,
        answer: impl FnOnce(&Block<'_>, &Facts<'_>) -> A,
    ) -> Judgement<A> {
        let snapshot = self.snapshot();
        let now = now();
        judgement(&snapshot, now, facts, snapshot.decide(facts, now), answer)
    }

    /// The same, if it can be said without knowing who asks. `None`: look the visitor up, and
    /// [`judge`](Self::judge) with what was found. Where `can_identify` is false nobody can, so that a
    /// visitor of whom rules want to know is blocked.
    pub fn judge_unasked<A>(
        &self,
        facts: &Facts<'_>,
        can_identify: bool,
        answer: impl FnOnce(&Block<'_>, &Facts<'_>) -> A,
    ) -> Option<Judgement<A>> {
        let snapshot = self.snapshot();
        let now = now();
        let decision = snapshot.decide(facts, now);
        let asks = can_identify && decision.asks_for_visitor();
        (!asks).then(|| judgement(&snapshot, now, facts, decision, answer))
    }
}

fn judgement<A>(
    snapshot: &Arc<Snapshot>,
    now: Timestamp,
    facts: &Facts<'_>,
    decision: Decision<'_>,
    answer: impl FnOnce(&Block<'_>, &Facts<'_>) -> A,
) -> Judgement<A> {
    match decision {
        Decision::Allow(allow) => Judgement::Pass(Pass {
            admission: Admission::new(Arc::clone(snapshot), now, facts.peer, &allow),
            logs_out: allow.logout.then(|| Arc::clone(snapshot.policy())),
        }),
        Decision::Block(block) => {
            logging::blocked(&block, facts);
            Judgement::Answer {
                answer: answer(&block, facts),
                logs_out: block.logout,
            }
        }
    }
}
