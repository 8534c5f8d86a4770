//! The command line.

mod ask;
mod inspect;
mod run;
mod switch;
mod values;

pub(crate) use ask::{ExplainArguments, WhoamiArguments};
pub(crate) use inspect::{
    CompletionsArguments, ConfigCommand, HistoryArguments, ManArguments, RepairArguments,
    StatusArguments,
};
pub(crate) use run::RunArguments;
pub(crate) use switch::{OffArguments, OnArguments, Sites, Wait};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  maintenance on --message 'Back at two.' --for 2h    close, and say until when
  maintenance status                                  what every site does now
  maintenance explain /cart --peer 192.0.2.7          would this request get through, and why
  maintenance off                                     open again

Exit codes:
  0   done; for `status`, every site is online
  1   not done; the message says why
  2   the command line or the configuration is wrong; nothing was done
  10  `status`: a site is pending      12  `status`: a site is read-only
  11  `status`: a site is offline      13  `status`: a site is paused
  20  the state is not known: it cannot be read, or only one process sees it

`maintenance help COMMAND` has more on each command.";

/// Closes a website safely and opens it again.
///
/// It writes the state into the backend that the configuration names, and every instance of the application
/// follows within a moment. Nothing but the configuration and the backend is needed: it works when the web
/// server does not.
#[derive(Debug, Parser)]
#[command(name = "maintenance", version, max_term_width = 110, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// The configuration; `maintenance.toml` of this folder if it exists, otherwise the defaults.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "MAINTENANCE_CONFIG",
        help_heading = "Global options"
    )]
    pub(crate) config: Option<PathBuf>,
    /// Where state lives, instead of the configured place; a relative file starts from this folder.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help_heading = "Global options"
    )]
    pub(crate) backend: Option<String>,
    /// Answers as JSON.
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
    /// No warnings and notes on standard error; errors stay.
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,
    /// More on standard error: which configuration, which backend.
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "quiet",
        help_heading = "Global options"
    )]
    pub(crate) verbose: bool,
    /// When to colour; the variable `NO_COLOR` is respected.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        help_heading = "Global options"
    )]
    pub(crate) color: Colour,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(visible_alias = "activate")]
    On(OnArguments),
    #[command(visible_alias = "deactivate")]
    Off(OffArguments),
    Run(Box<RunArguments>),
    #[command(visible_alias = "check")]
    Status(StatusArguments),
    History(HistoryArguments),
    Explain(Box<ExplainArguments>),
    Whoami(Box<WhoamiArguments>),
    /// Looks at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    Repair(RepairArguments),
    Completions(CompletionsArguments),
    Man(ManArguments),
}
