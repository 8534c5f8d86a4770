//! `cargo xtask test`: every test of the workspace, and one line at the end that says how they went.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::failure::{Failure, Outcome};
use crate::needs::{self, Verb};
use crate::shell::cargo;
use crate::stage::Stages;

pub(crate) fn run() -> Outcome {
    let mut tally = Tally::default();
    let mut stages = Stages::default();
    stages.run("what the tests need", || needs::install(Verb::Test));
    stages.run("build the tests", || {
        crate::shell::run(&mut cargo(&[
            "test",
            "--workspace",
            "--all-features",
            "--locked",
            "--no-run",
        ]))
    });
    stages.run("run the tests", || tally.of_cargo_test());
    println!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.ignored
    );
    stages.finish()
}

/// How many tests went how.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Tally {
    fn of_cargo_test(&mut self) -> Outcome {
        let mut cargo = cargo(&[
            "test",
            "--workspace",
            "--all-features",
            "--locked",
            "--no-fail-fast",
        ])
        .stdout(Stdio::piped())
        .spawn()?;
        if let Some(output) = cargo.stdout.take() {
            for line in BufReader::new(output).lines() {
                let line = line?;
                self.add(&line);
                println!("{line}");
            }
        }
        let status = cargo.wait()?;
        if !status.success() {
            return Err(Failure::new(format!("cargo test ended with {status}")));
        }
        if self.passed == 0 {
            return Err(Failure::new("not one test ran"));
        }
        if self.ignored > 0 {
            return Err(Failure::new(format!(
                "{} tests are marked to be ignored; a test that cannot run must fail and say what it needs",
                self.ignored
            )));
        }
        Ok(())
    }

    /// Adds `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
        for count in counts.split("; ") {
            let Some((number, what)) = count.split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_what_cargo_prints() {
        let mut tally = Tally::default();
        tally.add("running 3 tests");
        tally.add("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        tally.add("test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        let expected = Tally {
            passed: 4,
            failed: 2,
            ignored: 1,
        };
        assert_eq!(tally, expected);
    }
}
