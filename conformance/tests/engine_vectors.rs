//! Every vector through `decide` and through `explain`, which must agree.
#![allow(clippy::unwrap_used)]

use maintenance_mode::Timestamp;
use maintenance_mode::explain::Verdict;
use maintenance_mode_conformance::vectors::{self, Case, Expected};

fn outcome(case: &Case) -> Expected {
    let Ok(policy) = case.policy() else {
        return Expected::ConfigError;
    };
    let snapshot = case.snapshot(policy).unwrap();
    let now = Timestamp::from_millis(1_795_000_000_000);
    case.request_line().unwrap().with_facts(|facts| {
        let decision = snapshot.decide(facts, now);
        let explanation = snapshot.explain(facts, now);
        let explained = explanation.decision == Verdict::Allow;
        assert_eq!(decision.is_allowed(), explained, "{}", case.id);
        assert_eq!(decision.reason().code(), explanation.reason, "{}", case.id);
        assert_eq!(decision.logs_out(), explanation.logout, "{}", case.id);
        assert_eq!(explanation.answer.is_none(), explained, "{}", case.id);
        let is_about_addresses = matches!(
            case.expected,
            Expected::Verdict {
                client_ip: Some(_),
                ..
            }
        );
        Expected::Verdict {
            allowed: decision.is_allowed(),
            client_ip: is_about_addresses.then(|| explanation.client_ip.into()),
        }
    })
}

#[test]
fn every_vector_holds_in_the_engine() {
    let failures: Vec<String> = vectors::all()
        .unwrap()
        .iter()
        .map(|case| (case, outcome(case)))
        .filter(|(case, outcome)| case.expected != *outcome)
        .map(|(case, outcome)| {
            let Case {
                id, why, expected, ..
            } = case;
            format!("{id} ({why}): expected {expected:?}, got {outcome:?}")
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn no_two_vectors_have_the_same_name() {
    let mut names: Vec<String> = vectors::all().unwrap().into_iter().map(|c| c.id).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
