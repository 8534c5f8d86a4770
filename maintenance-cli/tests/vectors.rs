//! Every vector through the binary: `explain --requests` must say what the case expects.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::net::IpAddr;

use maintenance_mode_conformance::vectors::{self, Case, Expected};
use serde_json::Value;
use support::Site;

/// Cases with the same configuration share one process.
fn by_configuration() -> BTreeMap<String, Vec<Case>> {
    let mut groups: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in vectors::all().unwrap() {
        groups.entry(case.config.clone()).or_default().push(case);
    }
    groups
}

fn outcome(case: &Case, answer: &Value) -> Expected {
    let is_about_addresses = matches!(
        case.expected,
        Expected::Verdict {
            client_ip: Some(_),
            ..
        }
    );
    let client: Option<IpAddr> = answer["client_ip"].as_str().map(|ip| ip.parse().unwrap());
    Expected::Verdict {
        allowed: match answer["decision"].as_str() {
            Some("allow") => true,
            Some("block") => false,
            other => panic!("{}: {other:?} in {answer}", case.id),
        },
        client_ip: is_about_addresses.then(|| client.into()),
    }
}

#[test]
fn every_vector_holds_through_the_binary() {
    let mut failures = Vec::new();
    let mut count = 0;
    for (config, cases) in by_configuration() {
        let site = Site::configured(&config);
        let input: String = cases
            .iter()
            .map(|case| format!("{}\n", case.request))
            .collect();
        let run = site.run_with_input(&["explain", "--mode", "online", "--requests", "-"], &input);
        let answers = run.json_lines();
        if run.code == 0 {
            assert_eq!(answers.len(), cases.len());
        } else {
            assert_eq!((run.code, answers.len()), (2, 0), "{run:#?}");
            assert!(run.err.contains("error: "), "{run:#?}");
        }
        for (number, case) in cases.iter().enumerate() {
            count += 1;
            let outcome = answers
                .get(number)
                .map_or(Expected::ConfigError, |answer| outcome(case, answer));
            if outcome != case.expected {
                failures.push(format!(
                    "{} ({}): expected {:?}, got {outcome:?}",
                    case.id, case.why, case.expected
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(count, vectors::all().unwrap().len());
}
