//! The sample sites of all frameworks against each other: the same request, the same bytes.

use std::path::PathBuf;

use maintenance_mode_conformance::backend_suite::{Broken, broken};
use maintenance_mode_conformance::ensure;
use maintenance_mode_conformance::wire::table::{Answered, answers_of};
use maintenance_mode_conformance::wire::{Framework, Same};

/// Every site: its program, its package, and what its framework does.
const SITES: &[(&str, &str, Framework)] = &[
    (
        "actix-site",
        "maintenance-mode-example-actix",
        Framework::ACTIX,
    ),
    (
        "axum-site",
        "maintenance-mode-example-axum",
        Framework::AXUM,
    ),
];

/// A program that a test of the whole workspace builds beside this test's own.
fn program(name: &str, package: &str) -> Result<PathBuf, Broken> {
    let own = std::env::current_exe()?;
    let folder = own.ancestors().nth(2);
    let program =
        folder.map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)));
    program.filter(|program| program.is_file()).ok_or_else(|| {
        broken(format!(
            "{name} is not built; `cargo build --package {package}` builds it"
        ))
    })
}

/// Nothing but the date, the order of fields, and what a framework is known to add may differ. What the
/// application says to an admitted request is its own; its status and cookies are not.
fn difference(one: &Answered, other: &Answered, added: &[&str]) -> Option<String> {
    if one.admitted {
        let seen = |answered: &Answered| {
            let cookies: Vec<String> = answered
                .response
                .values("set-cookie")
                .map(str::to_owned)
                .collect();
            (answered.response.status, cookies)
        };
        let (one, other) = (seen(one), seen(other));
        return (one != other).then(|| format!("{one:?} and {other:?}"));
    }
    Same::as_written(&one.response, added).difference(&Same::as_written(&other.response, added))
}

/// Whether a parser refuses what others hand on, as its framework is known to do.
fn is_refused(answered: &Answered, framework: &Framework) -> bool {
    answered.response.status == 400 && !framework.knows_all_methods
}

#[test]
fn every_framework_gives_the_same_bytes() -> Result<(), Broken> {
    let mut sites = Vec::new();
    for (name, package, framework) in SITES {
        sites.push((name, framework, answers_of(&program(name, package)?)?));
    }
    let mut differences = Vec::new();
    let mut compared = 0;
    for (at, (name, framework, answers)) in sites.iter().enumerate() {
        for (other_name, other_framework, others) in &sites[at + 1..] {
            ensure!(
                answers.len() == others.len(),
                "{name} and {other_name}: not the same table"
            );
            let added = [framework.adds_fields, other_framework.adds_fields].concat();
            for (one, other) in answers.iter().zip(others) {
                if is_refused(one, framework) || is_refused(other, other_framework) {
                    continue;
                }
                compared += 1;
                if let Some(difference) = difference(one, other, &added) {
                    let (id, why) = (&one.id, &one.why);
                    differences.push(format!("{name}, {other_name}, {id} ({why}): {difference}"));
                }
            }
        }
    }
    println!("{compared} pairs of answers compared");
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    ensure!(compared > 140, "only {compared} pairs");
    Ok(())
}
