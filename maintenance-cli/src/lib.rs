//! The operator's tool.
//!
//! It needs a configuration and a backend, and no running application: what it switches, every instance
//! follows; what it says, it has read a moment ago.

mod arguments;
mod author;
mod backends;
mod commands;
mod exit;
mod output;
mod settings;
mod table;
mod when;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use arguments::Arguments;
use exit::Exit;
use output::Output;

/// Runs with these arguments, the first of which is the program's own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches))
    {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            // A closed pipe is no reason to complain about a page of help.
            let _ = error.print();
            return code.into();
        }
    };
    let mut output = Output::new(&arguments.global);
    let exit = commands::run(arguments, &mut output).unwrap_or_else(|failure| {
        output.error(&failure.message);
        failure.exit
    });
    output.finish(exit).into()
}

/// The command line's definition, from which completions and manual pages are made.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}
