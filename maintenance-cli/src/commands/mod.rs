//! One module a verb.

mod completions;
mod config;
mod explain;
mod fleet;
mod history;
mod man;
mod off;
mod on;
mod repair;
mod requests;
mod run;
mod sites;
mod status;
mod switched;
mod whoami;

use crate::arguments::{Arguments, Command};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Does what the command line says.
pub(crate) fn run(arguments: Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let global = arguments.global;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime cannot be started: {error}")))?;
    runtime.block_on(async {
        match arguments.command {
            Command::On(arguments) => on::run(&global, arguments, output).await,
            Command::Run(arguments) => run::run(&global, *arguments, output).await,
            Command::Off(arguments) => off::run(&global, arguments, output).await,
            Command::Status(arguments) => status::run(&global, &arguments, output).await,
            Command::History(arguments) => history::run(&global, &arguments, output).await,
            Command::Explain(arguments) => explain::run(&global, *arguments, output).await,
            Command::Whoami(arguments) => whoami::run(&global, *arguments, output),
            Command::Config(command) => config::run(&global, &command, output).await,
            Command::Repair(arguments) => repair::run(&global, arguments, output).await,
            Command::Completions(arguments) => completions::run(&arguments, output),
            Command::Man(arguments) => man::run(&arguments, output),
        }
    })
}
