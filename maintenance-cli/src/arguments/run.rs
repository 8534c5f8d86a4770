//! `run`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use maintenance_mode::Mode;
use maintenance_mode::state::Message;

use super::Sites;
use super::switch::message;
use super::values::{closed_mode, duration};

const EXAMPLES: &str = "\
Examples:
  maintenance run -- ./migrate.sh                               close, wait until all is quiet, run, open again
  maintenance run --mode read-only -- pg_dump shop -f shop.sql  reading goes on meanwhile
  maintenance run --keep-closed-on-failure -- ./migrate.sh      if it fails, somebody should look before visitors do

The command gets standard input, output and error as they are, and MAINTENANCE_ACTIVATION in its environment.
SIGTERM and SIGHUP are passed on to it; Ctrl-C reaches it by the terminal.

Should this program be killed, every instance sees within 35 seconds that nobody holds the site closed any
more, and opens it; with --keep-closed-on-failure it stays closed.

Exit codes: the command's own, 128 and the number of the signal that ended it, 127 if there is no such command,
126 if it cannot be run. It was not run: 1 the site is closed already or not every instance followed in time, 2 wrong
command line or configuration, 20 not known where the instances stand.";

/// Closes sites, waits until every instance is closed and quiet, runs a command, and opens them again.
///
/// The command is run only when every live instance has followed and no request from before is running. If
/// that does not come about in time, the sites are opened again and the command is not run.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) sites: Sites,
    /// What the sites do with ordinary visitors meanwhile.
    #[arg(long, default_value = "offline", value_parser = closed_mode())]
    pub(crate) mode: Mode,
    /// What visitors are told; plain text.
    #[arg(long, value_name = "TEXT", value_parser = message)]
    pub(crate) message: Option<Message>,
    /// How long you expect it to take: 90s, 30m, 2h.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// How long to wait until every instance has followed.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s")]
    pub(crate) timeout: Duration,
    /// Run the command without knowing whether every instance has followed.
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Leave the sites closed if the command fails, is killed, or this program is.
    #[arg(long)]
    pub(crate) keep_closed_on_failure: bool,
    /// Why, for the log; the command when left out.
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
    /// Who, for the log; your login name when left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// The command.
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

impl RunArguments {
    /// The program, without its arguments.
    pub(crate) fn program(&self) -> PathBuf {
        self.command.first().map(PathBuf::from).unwrap_or_default()
    }
}
