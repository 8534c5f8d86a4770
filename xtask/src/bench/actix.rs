//! The rows of the actix adapter.

use std::process::Command;

use super::count::{instructions, served_instructions, system_calls};
use super::programs::{Programs, figures};
use super::table::{Table, figure};
use crate::failure::Outcome;

const IN_PROCESS: u64 = 20_000;

pub(super) fn in_process(programs: &Programs, table: &mut Table) -> Outcome {
    let count = |scenario| instructions(programs, scenario, IN_PROCESS);
    let plain = count("actix/plain")?;
    let counting = instructions(programs, "live/in-flight", 1_000_000)?
        - instructions(programs, "nothing", 1_000_000)?;
    let by_hand = count("actix/ten-liner/online")? - plain;
    let ours = count("actix/ours/online")? - plain;
    table.at_most(
        "actix, online: instructions added, in-flight counting apart",
        figure(ours - counting, ""),
        Some(by_hand),
        350.0,
    );
    table.tell(
        "in-flight counting: instructions",
        figure(counting, ""),
        None,
    );
    let by_hand = count("actix/ten-liner/offline")? - plain;
    let ours = count("actix/ours/offline")? - plain;
    table.tell(
        "actix, offline, in process: instructions beyond the plain 200",
        figure(ours, ""),
        Some(by_hand),
    );
    let [plain, hand, ours] = ["actix/plain", "actix/ten-liner/online", "actix/ours/online"];
    let times = programs.times(&[plain, hand, ours])?;
    let added = |name| Outcome::Ok(times.one(name)? - times.one(plain)?);
    table.tell(
        "actix, online: time added",
        figure(added(ours)?, "ns"),
        Some(added(hand)?),
    );
    let allocations = programs.allocations(&[plain, hand, ours])?;
    let added = |name| Outcome::Ok(allocations.one(name)? - allocations.one(plain)?);
    table.at_most(
        "actix, online: allocations added",
        figure(added(ours)?, ""),
        Some(added(hand)?),
        0.0,
    );
    Ok(())
}

pub(super) fn served_instructions_rows(programs: &Programs, table: &mut Table) -> Outcome {
    let count = |site| served_instructions(programs, site);
    let plain = count(["plain", "open"])?;
    let hand = count(["ten-liner", "closed"])?;
    let ours = count(["ours", "closed"])?;
    table.tell(
        "actix on a socket, offline against the plain 200: instructions",
        figure(ours / plain, "×"),
        Some(hand / plain),
    );
    let hand = count(["ten-liner", "open"])? - plain;
    let ours = count(["ours", "open"])? - plain;
    table.tell(
        "actix on a socket, online: instructions added",
        figure(ours, ""),
        Some(hand),
    );
    Ok(())
}

pub(super) fn system_calls_rows(programs: &Programs, table: &mut Table) -> Outcome {
    let count = |site| system_calls(programs, site);
    let plain = count(["plain", "open"])?;
    for (state, mode) in [("open", "online"), ("closed", "offline")] {
        // A poll of the backend may fall into either run, so a hundredth of a call is none; and no zero is
        // negative.
        let rounded = |calls: f64| (calls * 100.0).trunc() / 100.0 + 0.0;
        let ours = rounded(count(["ours", state])? - plain);
        let hand = rounded(count(["ten-liner", state])? - plain);
        table.at_most(
            &format!("actix, {mode}, file backend: system calls added"),
            figure(ours, ""),
            Some(hand),
            0.0,
        );
    }
    Ok(())
}

pub(super) fn processor_time(programs: &Programs, table: &mut Table) -> Outcome {
    let times = figures(
        Command::new(&programs.compare)
            .arg("cpu")
            .arg(&programs.site)
            .args(["20", "4000"]),
    )?;
    let plain = times.one("plain")?;
    let against = |name: &str| Outcome::Ok(times.one(name)? / plain);
    table.tell(
        "the same server twice: processor time",
        figure(against("plain-again")?, "×"),
        None,
    );
    table.at_most(
        "actix, offline against the plain 200: processor time",
        figure(against("ours/offline")?, "×"),
        Some(against("ten-liner/offline")?),
        1.04,
    );
    table.tell(
        "actix, online against the plain 200: processor time",
        figure(against("ours/online")?, "×"),
        Some(against("ten-liner/online")?),
    );
    let haproxy = times.one("haproxy")?;
    table.at_most(
        "actix, offline: processor time an answer, beside HAProxy",
        figure(times.one("ours/offline")?, "µs"),
        Some(haproxy),
        haproxy,
    );
    Ok(())
}

/// Resident memory may grow by this much and still be flat: an allocator's whim.
const FLAT: f64 = 0.02;

pub(super) fn memory(programs: &Programs, table: &mut Table, seconds: u64) -> Outcome {
    let soak = figures(
        Command::new(&programs.compare)
            .arg("soak")
            .arg(&programs.site)
            .arg(seconds.to_string()),
    )?;
    let (settled, end) = (soak.at("soak", 0)?, soak.at("soak", 1)?);
    let answers = soak.at("soak", 2)?;
    table.at_most(
        &format!("memory after {seconds} s and {answers} blocked requests against a tenth of that"),
        figure(end / settled, "×"),
        None,
        1.0 + FLAT,
    );
    Ok(())
}
