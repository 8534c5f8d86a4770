//! Counting from outside: instructions with callgrind, system calls with strace.
//!
//! Everything is run twice, with N and with 2 N operations. The difference has no part of the start.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};

use super::programs::Programs;
use crate::failure::{Failure, Outcome};

/// Instructions an operation of a scenario.
pub(super) fn instructions(programs: &Programs, scenario: &str, operations: u64) -> Outcome<f64> {
    difference(operations, |count| {
        let mut command = callgrind();
        command
            .arg(&programs.measure)
            .args(["run", scenario, &count.to_string()]);
        collected(&mut command)
    })
}

/// Instructions a request of a served site: the whole process, kernel excluded.
pub(super) fn served_instructions(programs: &Programs, site: [&str; 3]) -> Outcome<f64> {
    difference(2_000, |count| {
        let mut command = drive(programs, count, site);
        command
            .args([
                "valgrind",
                "--tool=callgrind",
                "--callgrind-out-file=/dev/null",
            ])
            .arg(&programs.site)
            .args(site);
        collected(&mut command)
    })
}

/// System calls a request of a served site.
pub(super) fn system_calls(programs: &Programs, site: [&str; 3]) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let summary = folder.path().join("calls");
    difference(4_000, |count| {
        let mut command = drive(programs, count, site);
        command
            .args(["strace", "-f", "-c", "-o"])
            .arg(&summary)
            .arg(&programs.site)
            .args(site);
        ended_well(&mut command)?;
        total_calls(&fs::read_to_string(&summary)?)
    })
}

fn difference(operations: u64, count: impl Fn(u64) -> Outcome<u64>) -> Outcome<f64> {
    let (once, twice) = (count(operations)?, count(2 * operations)?);
    Ok((twice as f64 - once as f64) / operations as f64)
}

fn callgrind() -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command
}

fn drive(programs: &Programs, requests: u64, site: [&str; 3]) -> Command {
    let status = if site[2] == "closed" { "503" } else { "200" };
    let mut command = Command::new(&programs.drive);
    command.args([&requests.to_string(), status, "--"]);
    command
}

/// What callgrind says it has collected, on standard error.
fn collected(command: &mut Command) -> Outcome<u64> {
    let said = ended_well(command)?;
    said.lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, number)| number.trim().parse().ok())
        .ok_or_else(|| Failure::new(format!("callgrind collected nothing:\n{said}")))
}

/// The total of `strace -c`: the number before the last column, which may have errors beside it.
fn total_calls(summary: &str) -> Outcome<u64> {
    summary
        .lines()
        .find(|line| line.ends_with(" total"))
        .and_then(|line| line.split_whitespace().nth(3))
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Failure::new(format!("strace counted nothing:\n{summary}")))
}

/// Runs to the end; gives back standard error.
fn ended_well(command: &mut Command) -> Outcome<String> {
    let output = command.stdout(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok(said)
    } else {
        let program = OsStr::to_string_lossy(command.get_program()).into_owned();
        Err(Failure::new(format!(
            "{program} ended with {}:\n{said}",
            output.status
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_total_of_strace() -> Outcome {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000060           6        10         2 read
------ ----------- ----------- --------- --------- ----------------
100.00    0.000100           8        12         2 total
";
        assert_eq!(total_calls(summary)?, 12);
        assert!(total_calls("").is_err());
        Ok(())
    }

    #[test]
    fn a_difference_has_no_part_of_the_start() -> Outcome {
        let each = difference(10, |count| Ok(1_000 + 7 * count))?;
        assert!((each - 7.0).abs() < f64::EPSILON);
        Ok(())
    }
}
