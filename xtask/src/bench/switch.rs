//! How fast a switch reaches every process.

use std::process::Command;

use super::programs::{Programs, figures};
use super::table::{Table, figure};
use crate::failure::Outcome;

pub(super) fn latency(programs: &Programs, table: &mut Table) -> Outcome {
    let figures = figures(Command::new(&programs.switch).args(["16", "100"]))?;
    let what = |share| format!("switch, file backend, 16 processes, command to last: {share}");
    table.tell(
        &what("median"),
        figure(figures.at("switch", 0)?, "ms"),
        None,
    );
    table.at_most(
        &what("99 %"),
        figure(figures.at("switch", 1)?, "ms"),
        None,
        250.0,
    );
    table.tell(
        &what("longest"),
        figure(figures.at("switch", 2)?, "ms"),
        None,
    );
    Ok(())
}
