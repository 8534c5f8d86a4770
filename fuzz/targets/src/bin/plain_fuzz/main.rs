//! Runs a target on stable Rust: `plain-fuzz run TARGET SECONDS SEEDS FAILURES [FIRST]`; and prints a target's
//! words in the form that libFuzzer reads: `plain-fuzz words TARGET`.
//!
//! Every seed as it is, then changed seeds until the time is over. No coverage guides it, so libFuzzer
//! finds more; but it needs nothing, and the same numbers give the same inputs. An input that fails is
//! kept in the folder FAILURES.

mod change;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use change::Changer;
use maintenance_mode_fuzz_targets::{TARGETS, Target};

fn main() -> ExitCode {
    match perform() {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("plain-fuzz: {why}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str =
    "usage: plain-fuzz run TARGET SECONDS SEEDS FAILURES [FIRST], or plain-fuzz words TARGET";

fn perform() -> Result<String, Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["words", name] => Ok(words(find(name)?)),
        ["run", name, seconds, seeds, failures] => {
            fuzz(find(name)?, seconds.parse()?, seeds, failures, 1)
        }
        ["run", name, seconds, seeds, failures, first] => fuzz(
            find(name)?,
            seconds.parse()?,
            seeds,
            failures,
            first.parse()?,
        ),
        _ => Err(USAGE.into()),
    }
}

fn find(name: &str) -> Result<&'static Target, String> {
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .ok_or_else(|| format!("`{name}` is not a target"))
}

/// One word a line, quoted; every byte that is not plain as `\xHH`.
fn words(target: &Target) -> String {
    let quoted = |word: &&str| {
        let escaped: String = word
            .bytes()
            .map(|byte| match byte {
                b'"' | b'\\' | 0..=b'\x1f' | 0x7f.. => format!("\\x{byte:02X}"),
                _ => char::from(byte).to_string(),
            })
            .collect();
        format!("\"{escaped}\"")
    };
    target
        .words
        .iter()
        .map(quoted)
        .collect::<Vec<_>>()
        .join("\n")
}

fn fuzz(
    target: &Target,
    seconds: f64,
    seeds: &str,
    failures: &str,
    first: u64,
) -> Result<String, Box<dyn std::error::Error>> {
    let seeds = read_seeds(Path::new(seeds))?;
    let mut runner = Runner {
        target,
        failures: PathBuf::from(failures),
        runs: 0,
    };
    for seed in &seeds {
        runner.run(seed)?;
    }
    let mut changer = Changer::new(first, &seeds, target.words);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < end {
        for _ in 0..64 {
            runner.run(&changer.next())?;
        }
    }
    Ok(format!(
        "{}: {} seeds, {} runs in {seconds} s, nothing failed",
        target.name,
        seeds.len(),
        runner.runs
    ))
}

/// In the order of their names, so that a run can be repeated.
fn read_seeds(folder: &Path) -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry?.path());
    }
    files.sort();
    if files.is_empty() {
        return Err(format!("{} has no seeds", folder.display()).into());
    }
    Ok(files.iter().map(fs::read).collect::<Result<_, _>>()?)
}

struct Runner<'a> {
    target: &'a Target,
    failures: PathBuf,
    runs: u64,
}

impl Runner<'_> {
    fn run(&mut self, input: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
        self.runs += 1;
        let run = self.target.run;
        if catch_unwind(|| run(input)).is_ok() {
            return Ok(());
        }
        fs::create_dir_all(&self.failures)?;
        let kept = self
            .failures
            .join(format!("{}-{}", self.target.name, self.runs));
        fs::write(&kept, input)?;
        Err(format!(
            "{} failed at run {}; the input is in {}",
            self.target.name,
            self.runs,
            kept.display()
        )
        .into())
    }
}
