//! The programs of `benches/`, built once, and their figures.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::shell::{build, capture};

/// Where the programs are.
pub(super) struct Programs {
    pub(super) measure: PathBuf,
    compare: PathBuf,
    pub(super) drive: PathBuf,
    pub(super) site: PathBuf,
    pub(super) switch: PathBuf,
}

impl Programs {
    pub(super) fn build() -> Outcome<Self> {
        let program = |name| build("maintenance-mode-benches", name, "bench");
        Ok(Self {
            measure: program("measure")?,
            compare: program("compare")?,
            drive: program("drive")?,
            site: program("site")?,
            switch: program("switch")?,
        })
    }

    /// The program that has servers side by side.
    pub(super) fn compare(&self) -> Command {
        Command::new(&self.compare)
    }

    /// Nanoseconds at best of scenarios that take turns.
    pub(super) fn times(&self, scenarios: &[&str]) -> Outcome<Figures> {
        figures(
            Command::new(&self.measure)
                .args(["time", "400"])
                .args(scenarios),
        )
    }

    /// Allocations an operation.
    pub(super) fn allocations(&self, scenarios: &[&str]) -> Outcome<Figures> {
        figures(
            Command::new(&self.measure)
                .arg("allocations")
                .args(scenarios),
        )
    }
}

/// Lines `NAME NUMBER…`.
pub(super) struct Figures(BTreeMap<String, Vec<f64>>);

pub(super) fn figures(command: &mut Command) -> Outcome<Figures> {
    let text = capture(command)?;
    let mut figures = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default().to_owned();
        let numbers: Result<Vec<f64>, _> = words.map(str::parse).collect();
        let numbers = numbers.map_err(|_| Failure::new(format!("`{line}` is not a figure")))?;
        figures.insert(name, numbers);
    }
    Ok(Figures(figures))
}

impl Figures {
    /// The only number of that name.
    pub(super) fn one(&self, name: &str) -> Outcome<f64> {
        self.at(name, 0)
    }

    /// The number at that place.
    pub(super) fn at(&self, name: &str, place: usize) -> Outcome<f64> {
        self.0
            .get(name)
            .and_then(|numbers| numbers.get(place))
            .copied()
            .ok_or_else(|| Failure::new(format!("{name} was not measured")))
    }
}
