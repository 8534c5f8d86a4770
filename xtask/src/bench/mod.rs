//! `cargo xtask bench`: the table of costs, from one run, with its bars.

mod count;
mod engine;
mod frameworks;
mod programs;
mod switch;
mod table;

use crate::arguments::Arguments;
use crate::failure::{Failure, Outcome};
use crate::needs::{self, Verb};
use frameworks::{FRAMEWORKS, Framework};
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
    ("switch", switch::latency),
];

/// One part of the table for each framework.
type FrameworkPart = fn(&Framework, &Programs, &mut Table) -> Outcome;

const FRAMEWORK_PARTS: &[(&str, FrameworkPart)] = &[
    ("in process", Framework::in_process),
    ("instructions", Framework::on_a_socket),
    ("system calls", Framework::system_calls),
    ("processor time", Framework::processor_time),
];

pub(crate) fn run(options: &Options) -> Outcome {
    needs::install(Verb::Bench)?;
    let programs = Programs::build()?;
    let mut table = Table::default();
    for (name, part) in PARTS.iter().filter(|(name, _)| options.wants(name)) {
        eprintln!("measuring: {name}");
        part(&programs, &mut table).map_err(|failure| failure.while_doing(name))?;
    }
    for (name, part) in FRAMEWORK_PARTS {
        for framework in FRAMEWORKS {
            let name = format!("{} {name}", framework.name);
            if options.wants(&name) {
                eprintln!("measuring: {name}");
                part(framework, &programs, &mut table)
                    .map_err(|failure| failure.while_doing(&name))?;
            }
        }
    }
    if options.wants("memory") {
        eprintln!("measuring: memory, {} s", options.soak_seconds);
        frameworks::memory(&programs, &mut table, options.soak_seconds)?;
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
