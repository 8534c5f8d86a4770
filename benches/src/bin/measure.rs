//! Measures scenarios, one line `NAME NUMBER…` for each figure.
//!
//! - `measure run SCENARIO COUNT`: just runs it, for a program that counts from outside;
//! - `measure time ROUNDS SCENARIO…`: nanoseconds at best, the scenarios taking turns;
//! - `measure allocations SCENARIO…`: allocations an operation;
//! - `measure threads ROUNDS SCENARIO`: nanoseconds on one thread, and on two at once;
//! - `measure compile PATHS ADDRESSES`: milliseconds at best, and bytes that stay allocated.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use maintenance_mode::{Mode, Policy, Snapshot};
use maintenance_mode_benches::scenarios::rules::Size;
use maintenance_mode_benches::{Trouble, allocations, scenarios, timing};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match perform(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("measure: {why}");
            ExitCode::FAILURE
        }
    }
}

fn perform(arguments: &[&str]) -> Result<(), Trouble> {
    match arguments {
        ["run", name, count] => {
            let mut runner = scenarios::prepare(name)?;
            runner(count.parse()?);
            Ok(())
        }
        ["time", rounds, names @ ..] => time(names, rounds.parse()?),
        ["allocations", names @ ..] => names.iter().try_for_each(|name| count(name)),
        ["threads", rounds, name] => threads(name, rounds.parse()?),
        ["compile", paths, addresses] => compile(Size {
            paths: paths.parse()?,
            addresses: addresses.parse()?,
        }),
        _ => Err("run, time, allocations, threads or compile".into()),
    }
}

fn time(names: &[&str], rounds: usize) -> Result<(), Trouble> {
    let mut runners = Vec::new();
    for name in names {
        runners.push(scenarios::prepare(name)?);
    }
    for (name, best) in names.iter().zip(timing::best_of(&mut runners, rounds)) {
        println!("{name} {best:.3}");
    }
    Ok(())
}

fn count(name: &str) -> Result<(), Trouble> {
    const OPERATIONS: u64 = 1000;
    let mut runner = scenarios::prepare(name)?;
    runner(OPERATIONS);
    // The least of several: a watcher on another thread may allocate meanwhile.
    let fewest = (0..5)
        .map(|_| {
            let before = allocations::calls();
            runner(OPERATIONS);
            allocations::calls() - before
        })
        .min()
        .unwrap_or_default();
    println!("{name} {:.3}", fewest as f64 / OPERATIONS as f64);
    Ok(())
}

fn threads(name: &str, rounds: usize) -> Result<(), Trouble> {
    drop(scenarios::prepare(name)?);
    let make = || scenarios::prepare(name).unwrap_or_else(|_| Box::new(|_| ()));
    // In turns, for the same reason as everywhere.
    let (mut one, mut two) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..4 {
        one = one.min(timing::best_of_threads(make, 1, rounds));
        two = two.min(timing::best_of_threads(make, 2, rounds));
    }
    println!("{name} {one:.3} {two:.3}");
    Ok(())
}

fn compile(size: Size) -> Result<(), Trouble> {
    let config = scenarios::rules::config(size).mode(Mode::Offline);
    let mut best = f64::INFINITY;
    let mut bytes = 0;
    for _ in 0..10 {
        let config = config.clone();
        let before = allocations::bytes();
        let begin = Instant::now();
        let policy = Arc::new(Policy::compile(config.clone())?);
        let snapshot = Snapshot::new(Arc::clone(&policy), None);
        best = best.min(begin.elapsed().as_secs_f64() * 1000.0);
        // The policy keeps its configuration, which is not what was compiled.
        let kept = allocations::bytes() - before;
        let begin = allocations::bytes();
        let configuration = policy.config().clone();
        bytes = kept.saturating_sub(allocations::bytes() - begin);
        drop((snapshot, policy, configuration));
    }
    println!("compile {best:.3} {bytes}");
    Ok(())
}
