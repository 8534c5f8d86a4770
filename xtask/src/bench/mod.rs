//! `cargo xtask bench`: the table of costs, from one run, with its bars.

mod actix;
mod count;
mod engine;
mod programs;
mod switch;
mod table;

use crate::arguments::Arguments;
use crate::failure::{Failure, Outcome};
use crate::needs::{self, Verb};
use programs::Programs;
use table::Table;

/// What was asked.
#[derive(Debug)]
pub(crate) struct Options {
    soak_seconds: u64,
    only: Option<String>,
    allow_misses: bool,
}

impl Options {
    pub(crate) fn from_arguments(arguments: &mut Arguments) -> Outcome<Self> {
        let options = Self {
            soak_seconds: arguments.value("--soak")?.unwrap_or(600),
            only: arguments.value("--only")?,
            allow_misses: arguments.flag("--allow-misses"),
        };
        arguments.finish()?;
        Ok(options)
    }

    fn wants(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| part.contains(only))
    }
}

/// One part of the table.
type Part = fn(&Programs, &mut Table) -> Outcome;

const PARTS: &[(&str, Part)] = &[
    ("decide online", engine::online),
    ("decide offline", engine::offline),
    ("compile", engine::compile),
    ("bypass", engine::bypass),
    ("answer", engine::answer),
    ("actix in process", actix::in_process),
    ("actix instructions", actix::served_instructions_rows),
    ("actix system calls", actix::system_calls_rows),
    ("actix processor time", actix::processor_time),
    ("switch", switch::latency),
];

pub(crate) fn run(options: &Options) -> Outcome {
    needs::install(Verb::Bench)?;
    let programs = Programs::build()?;
    let mut table = Table::default();
    for (name, part) in PARTS.iter().filter(|(name, _)| options.wants(name)) {
        eprintln!("measuring: {name}");
        part(&programs, &mut table).map_err(|failure| failure.while_doing(name))?;
    }
    if options.wants("memory") {
        eprintln!("measuring: memory, {} s", options.soak_seconds);
        actix::memory(&programs, &mut table, options.soak_seconds)?;
    }
    if table.is_empty() {
        return Err(Failure::new("no part of the table has that name"));
    }
    print!("{table}");
    match table.misses() {
        0 => Ok(()),
        missed if options.allow_misses => {
            println!("{missed} bars are missed");
            Ok(())
        }
        missed => Err(Failure::new(format!("{missed} bars are missed"))),
    }
}
