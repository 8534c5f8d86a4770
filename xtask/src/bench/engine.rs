//! The engine's rows.

use std::process::Command;

use super::count::instructions;
use super::programs::{Programs, figures};
use super::table::{Table, figure};
use crate::failure::Outcome;

/// Cheap operations need many, so that what the watcher does meanwhile does not count.
const CHEAP: u64 = 1_000_000;
const ORDINARY: u64 = 50_000;

pub(super) fn online(programs: &Programs, table: &mut Table) -> Outcome {
    let (none, huge, by_hand) = ("live/online/none", "live/online/huge", "ten-liner/online");
    let count = |scenario| instructions(programs, scenario, CHEAP);
    // What the loop around the operation costs is not the operation's.
    let empty = count("nothing")?;
    let hand = count(by_hand)? - empty;
    let times = programs.times(&[none, huge, by_hand, "nothing"])?;
    let loop_time = times.one("nothing")?;
    let allocations = programs.allocations(&[none, huge])?;
    for (scenario, rules) in [(none, "no rules"), (huge, "110 000 rules")] {
        let what = |unit| format!("decide online, {rules}: {unit}");
        let ours = count(scenario)? - empty;
        table.at_most(&what("instructions"), figure(ours, ""), Some(hand), 20.0);
        let ours = (times.one(scenario)? - loop_time).max(0.0);
        let hand = (times.one(by_hand)? - loop_time).max(0.0);
        table.at_most(&what("time"), figure(ours, "ns"), Some(hand), 1.0);
        let ours = allocations.one(scenario)?;
        table.at_most(&what("allocations"), figure(ours, ""), None, 0.0);
    }
    let threads = figures(Command::new(&programs.measure).args(["threads", "200", none]))?;
    let ratio = threads.at(none, 1)? / threads.at(none, 0)?;
    table.at_most(
        "decide online: two threads against one",
        figure(ratio, "×"),
        None,
        1.1,
    );
    Ok(())
}

pub(super) fn offline(programs: &Programs, table: &mut Table) -> Outcome {
    let (none, many, huge) = (
        "decide/offline/none",
        "decide/offline/many",
        "decide/offline/huge",
    );
    let times = programs.times(&[none, many, huge, "live/offline/many"])?;
    let allocations = programs.allocations(&[many, huge])?;
    for (scenario, rules, nanoseconds, count) in [
        (many, "100 paths, 1 000 addresses", 60.0, 900.0),
        (huge, "10 000 paths, 100 000 addresses", 80.0, 1_000.0),
    ] {
        let what = |unit| format!("decide offline, nothing of {rules} matches: {unit}");
        table.at_most(
            &what("time"),
            figure(times.one(scenario)?, "ns"),
            None,
            nanoseconds,
        );
        let ours = instructions(programs, scenario, ORDINARY)?;
        table.at_most(&what("instructions"), figure(ours, ""), None, count);
        let ours = allocations.one(scenario)?;
        table.at_most(&what("allocations"), figure(ours, ""), None, 0.0);
    }
    let growth = times.one(huge)? / times.one(none)?;
    table.at_most(
        "decide offline: growth from no rules to 110 000",
        figure(growth, "×"),
        None,
        1.8,
    );
    let live = times.one("live/offline/many")?;
    table.tell(
        "the same through the live handle, with its clock: time",
        figure(live, "ns"),
        None,
    );
    Ok(())
}

pub(super) fn compile(programs: &Programs, table: &mut Table) -> Outcome {
    let figures = figures(Command::new(&programs.measure).args(["compile", "10000", "100000"]))?;
    let what = |unit| format!("10 000 paths and 100 000 addresses compiled: {unit}");
    table.at_most(
        &what("time"),
        figure(figures.at("compile", 0)?, "ms"),
        None,
        20.0,
    );
    let mebibytes = figures.at("compile", 1)? / f64::from(1 << 20);
    table.at_most(&what("memory"), figure(mebibytes, "MiB"), None, 4.0);
    Ok(())
}

pub(super) fn bypass(programs: &Programs, table: &mut Table) -> Outcome {
    let header =
        ["without", "absent", "wrong", "valid"].map(|kind| format!("decide/header/{kind}"));
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    let times = programs.times(&names)?;
    let without = times.one(names[0])?;
    for (name, case) in names.iter().zip(["", "absent", "wrong", "valid"]).skip(1) {
        let added = times.one(name)? - without;
        table.tell(
            &format!("bypass header, {case}: time added"),
            figure(added, "ns"),
            None,
        );
    }
    table.not_there_yet("bypass cookie, valid: time", "≤ 190 ns");
    table.not_there_yet("bypass cookie, absent: time a 266-byte header", "≤ 15 ns");
    Ok(())
}

pub(super) fn answer(programs: &Programs, table: &mut Table) -> Outcome {
    let (whole, decided, by_hand) = ("answer/prepared", "answer/decided-only", "ten-liner/answer");
    let times = programs.times(&[whole, decided, by_hand])?;
    let hand = times.one(by_hand)?;
    let ours = times.one(whole)? - times.one(decided)?;
    table.at_most(
        "503 with its fields from prepared parts: time",
        figure(ours, "ns"),
        Some(hand),
        180.0,
    );
    let allocations = programs.allocations(&[whole, decided, by_hand])?;
    let ours = allocations.one(whole)? - allocations.one(decided)?;
    let hand = allocations.one(by_hand)?;
    table.tell(
        "503 with its fields from prepared parts: allocations",
        figure(ours, ""),
        Some(hand),
    );
    Ok(())
}
