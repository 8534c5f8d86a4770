//! The project's own commands: `cargo xtask VERB`.

mod arguments;
mod bench;
mod check;
mod demo;
mod failure;
mod fuzz;
mod needs;
mod shell;
mod stage;
mod test;

use std::process::ExitCode;

use arguments::Arguments;
use failure::{Failure, Outcome};

const HELP: &str = "\
cargo xtask VERB

  test                  installs what is missing, then runs every test of the workspace
  check                 formatting, lints, documentation, dependencies, licences, manifests
  ci                    check, test, and ten seconds of every fuzz target
  fuzz [TARGET...]      every fuzz target, or those named, one after the other
       --seconds N      how long each runs (60)
       --engine NAME    libfuzzer (needs nightly and cargo-fuzz) or plain (stable); the better one there is
  bench                 the table of costs, from one run, with its bars
       --soak N         seconds of load for the memory row (600)
       --only WORD      rows whose name contains WORD
       --allow-misses   ends well although a bar is missed
  demo                  runs the sample site with a switch in a temporary folder, and says what to try
";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_process();
    match perform(&mut arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nxtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn perform(arguments: &mut Arguments) -> Outcome {
    let verb = arguments.next_word();
    match verb.as_deref() {
        Some("test") => arguments.finish().and_then(|()| test::run()),
        Some("check") => arguments.finish().and_then(|()| check::run()),
        Some("ci") => arguments.finish().and_then(|()| ci()),
        Some("fuzz") => fuzz::run(&fuzz::Options::from_arguments(arguments)?),
        Some("bench") => bench::run(&bench::Options::from_arguments(arguments)?),
        Some("demo") => demo::run(),
        Some("help" | "--help" | "-h") | None => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(Failure::new(format!("`{other}` is not a verb\n\n{HELP}"))),
    }
}

fn ci() -> Outcome {
    check::run()?;
    test::run()?;
    fuzz::run(&fuzz::Options::for_ci())
}
