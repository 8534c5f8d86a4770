//! `status`, `history`, `config`, `repair`, `completions`, `man`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;
use maintenance_mode::{Mode, SiteName};

use super::values::plain_mode;

const STATUS_EXAMPLES: &str = "\
Examples:
  maintenance status                      every site
  maintenance status --site shop --json   one, for a program
  maintenance status >/dev/null || …      in a script

Exit codes: 0 every site is online, 10 pending, 11 offline, 12 read-only, 13 paused; of several sites the one that
closes most decides (offline, paused, pending, read-only). 20 the state is not known, 2 wrong command line or configuration.";

const HISTORY_EXAMPLES: &str = "\
Examples:
  maintenance history                    the last 20 changes, the latest first
  maintenance history --site shop --json --limit 100

The backend keeps 100 changes. Exit codes: 0, 2 wrong command line or configuration, 20 the state is not known.";

const CHECK_EXAMPLES: &str = "\
Examples:
  maintenance config check --config /etc/site/maintenance.toml
  maintenance config check --connect      also read the backend

Exit codes: 0 it can be used, 2 it cannot (each complaint with its line and cure), 20 the backend cannot be read.";

const REPAIR_EXAMPLES: &str = "\
Examples:
  maintenance status                      says 20 and why
  maintenance repair --mode offline       a new record; stay closed and look
  maintenance repair --mode online        a new record; everything open

Exit codes: 0 repaired, 1 nothing to repair or not repaired, 2 wrong command line or configuration.";

/// Says what every site does now.
///
/// The mode in effect counts windows and modes that the configuration pins. It is read from the backend at
/// this moment, not asked of the application.
#[derive(Clone, Debug, Args)]
#[command(after_help = STATUS_EXAMPLES)]
pub(crate) struct StatusArguments {
    /// Only this site; give it again for more.
    #[arg(long = "site", value_name = "NAME")]
    pub(crate) sites: Vec<SiteName>,
}

/// Shows the last changes: when, which site, from what to what, who, from where, why.
#[derive(Clone, Debug, Args)]
#[command(after_help = HISTORY_EXAMPLES)]
pub(crate) struct HistoryArguments {
    /// Only this site; give it again for more.
    #[arg(long = "site", value_name = "NAME")]
    pub(crate) sites: Vec<SiteName>,
    /// At most so many, the latest ones.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
}

/// What can be done with the configuration.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Says everything that is wrong with the configuration, or what it exempts.
    ///
    /// Keys, values, rules and contradictions, each with its line or variable and the cure. Whatever opens
    /// the site to somebody is in the summary, so that nothing is exempt unnoticed.
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// Also open the backend and read it.
        #[arg(long)]
        connect: bool,
    },
    /// Prints the configuration in effect, environment variables applied, as TOML; secrets as ***.
    Show,
}

/// Puts a new record in the place of one that cannot be read or has vanished.
///
/// An unreadable record is never taken for "open": every instance keeps what it knew, and this program says
/// 20. If the file can be restored from elsewhere, do that instead. Otherwise this makes a new record, in
/// which every site has the mode that you choose. Windows, messages and the log of the old one are lost to
/// the application; the old record is kept beside the new one, and the answer says where.
#[derive(Clone, Debug, Args)]
#[command(after_help = REPAIR_EXAMPLES)]
pub(crate) struct RepairArguments {
    /// What every site does afterwards. There is no default: only you know whether it is safe to open.
    #[arg(long, value_parser = plain_mode())]
    pub(crate) mode: Mode,
    /// Also replace a record that is readable.
    #[arg(long)]
    pub(crate) force: bool,
    /// Who, for the log; your login name when left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// Prints completions for a shell.
///
/// For bash: `maintenance completions bash > /etc/bash_completion.d/maintenance`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
    /// Write a file with the shell's usual name into this folder instead.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out_dir: Option<PathBuf>,
}

/// Prints the manual page.
#[derive(Clone, Debug, Args)]
pub(crate) struct ManArguments {
    /// Write the pages of all commands into this folder instead.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out_dir: Option<PathBuf>,
}
