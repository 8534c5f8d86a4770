//! The rows of the adapters: one set for each framework.

use super::count::{instructions, served_instructions, system_calls};
use super::programs::{Programs, figures};
use super::table::{Table, figure};
use crate::failure::Outcome;

const IN_PROCESS: u64 = 20_000;

/// What an adapter may cost, and under which name `benches/` has its sites.
pub(super) struct Framework {
    pub(super) name: &'static str,
    /// Instructions added to a request of an open site, in-flight counting apart.
    online: f64,
    /// A blocked request against the plain 200, in process.
    offline: f64,
    /// Whether counting alone is measured with it; otherwise only the counter's own instructions are.
    counted: bool,
}

pub(super) const FRAMEWORKS: &[Framework] = &[
    Framework {
        name: "actix",
        online: 350.0,
        offline: 1.04,
        counted: false,
    },
    Framework {
        name: "axum-outermost",
        online: 50.0,
        offline: 0.55,
        counted: true,
    },
    Framework {
        name: "axum-router-layer",
        online: 1_200.0,
        offline: 0.55,
        counted: true,
    },
    Framework {
        name: "poem",
        online: 280.0,
        offline: 0.52,
        counted: true,
    },
    Framework {
        name: "rocket",
        online: 430.0,
        offline: 1.40,
        counted: false,
    },
    Framework {
        name: "warp",
        online: 130.0,
        offline: 1.25,
        counted: true,
    },
];

/// The three sites of a framework, as scenarios.
struct Names {
    plain: String,
    by_hand: String,
    ours: String,
}

impl Framework {
    fn scenarios(&self, state: &str) -> Names {
        let name = self.name;
        Names {
            plain: format!("{name}/plain"),
            by_hand: format!("{name}/ten-liner/{state}"),
            ours: format!("{name}/ours/{state}"),
        }
    }

    /// Instructions beyond those of the plain site: by hand, and ours.
    fn instructions_added(&self, programs: &Programs, state: &str) -> Outcome<(f64, f64)> {
        let names = self.scenarios(state);
        let plain = instructions(programs, &names.plain, IN_PROCESS)?;
        let by_hand = instructions(programs, &names.by_hand, IN_PROCESS)? - plain;
        let ours = instructions(programs, &names.ours, IN_PROCESS)? - plain;
        Ok((by_hand, ours))
    }

    /// What it costs to count requests until their bodies end, and nothing else.
    fn counting(&self, programs: &Programs) -> Outcome<f64> {
        let name = self.name;
        if self.counted {
            let counted = instructions(programs, &format!("{name}/counted"), IN_PROCESS)?;
            Ok(counted - instructions(programs, &format!("{name}/plain"), IN_PROCESS)?)
        } else {
            Ok(instructions(programs, "live/in-flight", 1_000_000)?
                - instructions(programs, "nothing", 1_000_000)?)
        }
    }

    pub(super) fn in_process(&self, programs: &Programs, table: &mut Table) -> Outcome {
        let what = |what: &str| format!("{}, {what}", self.name);
        let (by_hand, ours) = self.instructions_added(programs, "online")?;
        let counting = self.counting(programs)?;
        table.at_most(
            &what("online: instructions added, counting requests apart"),
            figure(ours - counting, ""),
            Some(by_hand),
            self.online,
        );
        table.tell(
            &what("online: instructions that counting requests takes"),
            figure(counting, ""),
            None,
        );
        let online = self.scenarios("online");
        let names = [&*online.plain, &*online.by_hand, &*online.ours];
        let times = programs.times(&names)?;
        let added = |name: &str| Outcome::Ok(times.one(name)? - times.one(&online.plain)?);
        table.tell(
            &what("online: time added"),
            figure(added(&online.ours)?, "ns"),
            Some(added(&online.by_hand)?),
        );
        let allocations = programs.allocations(&names)?;
        let added =
            |name: &str| Outcome::Ok(allocations.one(name)? - allocations.one(&online.plain)?);
        table.tell(
            &what("online: allocations added"),
            figure(added(&online.ours)?, ""),
            Some(added(&online.by_hand)?),
        );
        let (by_hand, ours) = self.instructions_added(programs, "offline")?;
        table.tell(
            &what("offline: instructions beyond the plain 200"),
            figure(ours, ""),
            Some(by_hand),
        );
        let offline = self.scenarios("offline");
        let times = programs.times(&[&offline.plain, &offline.by_hand, &offline.ours])?;
        let against = |name: &str| Outcome::Ok(times.one(name)? / times.one(&offline.plain)?);
        table.at_most(
            &what("offline against the plain 200, in process: time"),
            figure(against(&offline.ours)?, "×"),
            Some(against(&offline.by_hand)?),
            self.offline,
        );
        Ok(())
    }

    pub(super) fn on_a_socket(&self, programs: &Programs, table: &mut Table) -> Outcome {
        let count = |kind, state| served_instructions(programs, [self.name, kind, state]);
        let plain = count("plain", "open")?;
        let (hand, ours) = (count("ten-liner", "closed")?, count("ours", "closed")?);
        table.tell(
            &format!(
                "{} on a socket, offline against the plain 200: instructions",
                self.name
            ),
            figure(ours / plain, "×"),
            Some(hand / plain),
        );
        let hand = count("ten-liner", "open")? - plain;
        let ours = count("ours", "open")? - plain;
        table.tell(
            &format!("{} on a socket, online: instructions added", self.name),
            figure(ours, ""),
            Some(hand),
        );
        Ok(())
    }

    pub(super) fn system_calls(&self, programs: &Programs, table: &mut Table) -> Outcome {
        let count = |kind, state| system_calls(programs, [self.name, kind, state]);
        let plain = count("plain", "open")?;
        for (state, mode) in [("open", "online"), ("closed", "offline")] {
            // A poll of the backend may fall into either run, so a hundredth of a call is none; and no zero
            // is negative.
            let rounded = |calls: f64| (calls * 100.0).trunc() / 100.0 + 0.0;
            let ours = rounded(count("ours", state)? - plain);
            let hand = rounded(count("ten-liner", state)? - plain);
            table.at_most(
                &format!("{}, {mode}, file backend: system calls added", self.name),
                figure(ours, ""),
                Some(hand),
                0.0,
            );
        }
        Ok(())
    }

    pub(super) fn processor_time(&self, programs: &Programs, table: &mut Table) -> Outcome {
        let times = figures(
            programs
                .compare()
                .arg("cpu")
                .arg(&programs.site)
                .args([self.name, "20", "4000"]),
        )?;
        let plain = times.one("plain")?;
        let against = |name: &str| Outcome::Ok(times.one(name)? / plain);
        let what = |what: &str| format!("{}{what}: processor time", self.name);
        table.tell(
            &what(", the same server twice"),
            figure(against("plain-again")?, "×"),
            None,
        );
        table.tell(
            &what(" on a socket, offline against the plain 200"),
            figure(against("ours/offline")?, "×"),
            Some(against("ten-liner/offline")?),
        );
        table.tell(
            &what(" on a socket, online against the plain 200"),
            figure(against("ours/online")?, "×"),
            Some(against("ten-liner/online")?),
        );
        let haproxy = times.one("haproxy")?;
        let answer = format!(
            "{}, offline: processor time an answer, beside HAProxy",
            self.name
        );
        let ours = figure(times.one("ours/offline")?, "µs");
        if self.name == "actix" {
            table.at_most(&answer, ours, Some(haproxy), haproxy);
        } else {
            table.tell(&answer, ours, Some(haproxy));
        }
        Ok(())
    }
}

/// Resident memory may grow by this much and still be flat: an allocator's whim.
const FLAT: f64 = 0.02;

pub(super) fn memory(programs: &Programs, table: &mut Table, seconds: u64) -> Outcome {
    let soak = figures(
        programs
            .compare()
            .arg("soak")
            .arg(&programs.site)
            .args(["actix", &seconds.to_string()]),
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
