//! The sample sites of all frameworks against each other: the same request, the same bytes.

use std::path::PathBuf;

use maintenance_mode_conformance::backend_suite::{Broken, broken};
use maintenance_mode_conformance::ensure;
use maintenance_mode_conformance::wire::table::{Answered, answers_of};
use maintenance_mode_conformance::wire::{Framework, Same};

/// Every site: the last word of its package, which its program begins with, and what its framework does.
const SITES: &[(&str, Framework)] = &[
    ("actix", Framework::ACTIX),
    ("axum", Framework::AXUM),
    ("poem", Framework::HYPER),
    ("rocket", Framework::ROCKET),
    ("warp", Framework::WARP),
];

/// A program that a test of the whole workspace builds beside this test's own.
fn program(site: &str) -> Result<PathBuf, Broken> {
    let own = std::env::current_exe()?;
    let name = format!("{site}-site{}", std::env::consts::EXE_SUFFIX);
    let program = own.ancestors().nth(2).map(|folder| folder.join(&name));
    program.filter(|program| program.is_file()).ok_or_else(|| {
        broken(format!(
            "{name} is not built; `cargo build --package maintenance-mode-example-{site}` builds it"
        ))
    })
}

/// Nothing but the date, whether the connection goes on, the order of fields, and what the frameworks are
/// known to add or to leave out may differ. What the application says to an admitted request is its own; its status and cookies
/// are not, but frameworks differ in whether a route for GET answers HEAD.
fn difference(one: &Answered, other: &Answered, frameworks: [&Framework; 2]) -> Option<String> {
    if one.admitted {
        let seen = |answered: &Answered| {
            let cookies: Vec<String> = answered
                .response
                .values("set-cookie")
                .map(str::to_owned)
                .collect();
            let is_head = answered.method == "HEAD";
            let status = (!is_head).then_some(answered.response.status);
            (status, cookies)
        };
        let (one, other) = (seen(one), seen(other));
        return (one != other).then(|| format!("{one:?} and {other:?}"));
    }
    let added = frameworks.map(|framework| framework.adds_fields).concat();
    let same = |answered: &Answered| {
        frameworks.iter().fold(
            Same::as_written(&answered.response, &added),
            |same, framework| same.left_by(framework, &answered.method),
        )
    };
    same(one).difference(&same(other))
}

#[test]
fn every_framework_gives_the_same_bytes() -> Result<(), Broken> {
    let mut sites = Vec::new();
    for (name, framework) in SITES {
        sites.push((name, framework, answers_of(&program(name)?)?));
    }
    let mut differences = Vec::new();
    let mut compared = 0;
    for (at, (name, framework, answers)) in sites.iter().enumerate() {
        for (other_name, other_framework, others) in &sites[at + 1..] {
            ensure!(
                answers.len() == others.len(),
                "{name} and {other_name}: not the same table"
            );
            let frameworks = [*framework, *other_framework];
            for (one, other) in answers.iter().zip(others) {
                let is_apart = |by: &&Framework| {
                    by.refuses(&one.method) || by.answers_apart.contains(&one.id.as_str())
                };
                if frameworks.iter().any(is_apart) {
                    continue;
                }
                compared += 1;
                if let Some(difference) = difference(one, other, frameworks) {
                    let (id, method, why) = (&one.id, &one.method, &one.why);
                    differences.push(format!(
                        "{name}, {other_name}, {id} {method} ({why}): {difference}"
                    ));
                }
            }
        }
    }
    println!("{compared} pairs of answers compared");
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    ensure!(compared > 140, "only {compared} pairs");
    Ok(())
}
