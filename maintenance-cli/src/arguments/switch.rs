//! `on` and `off`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use maintenance_mode::state::{ActivationId, Message};
use maintenance_mode::{Mode, SiteName};

use super::values::{closed_mode, duration};

const ON_EXAMPLES: &str = "\
Examples:
  maintenance on                                            close the site
  maintenance on --message 'Back at two.' --until 02:00     tell visitors until when
  maintenance on --mode read-only --for 30m --why DB-1432   reading goes on; the log says why
  maintenance on --site shop --site blog                    two of several sites
  maintenance on --wait --timeout 2m                        come back when every instance is closed and empty

A site that is in the ordered mode already stays as it is, and the exit code is 0.
Exit codes: 0 closed, 1 not closed, 2 wrong command line or configuration (a pinned mode too), 20 not known.
With --wait: 0 closed everywhere and nothing from before is running, 1 some instance has not followed in time,
20 an instance is silent, none is known, or the backend keeps no leases. The site stays closed in each case.";

const OFF_EXAMPLES: &str = "\
Examples:
  maintenance off                                 open the site
  maintenance off --site shop                     one of several sites
  maintenance off --if-activation 0f3c…           only if nobody has closed it anew meanwhile

A site that is open already stays as it is, and the exit code is 0.
Exit codes: 0 open, 1 left as it is, 2 wrong command line or configuration (a pinned mode too), 20 not known.";

/// Which sites.
#[derive(Clone, Debug, Args)]
pub(crate) struct Sites {
    /// This site; give it again for more. Without sites in the configuration there is one, `default`.
    #[arg(long = "site", value_name = "NAME", conflicts_with = "all_sites")]
    pub(crate) names: Vec<SiteName>,
    /// Every configured site, `default` included: the hosts that no site claims.
    #[arg(long)]
    pub(crate) all_sites: bool,
}

/// Waiting for the instances.
#[derive(Clone, Debug, Args)]
pub(crate) struct Wait {
    /// Come back only when every live instance has followed and no request from before is running there.
    ///
    /// An instance that falls silent is named and never taken for done.
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long to wait: 90s, 2m.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s", requires = "wait")]
    pub(crate) timeout: Duration,
}

/// Closes sites.
///
/// The change is stored and read back before anything is reported. Every instance that follows the backend
/// applies it within a fraction of a second, at the latest at its next poll.
#[derive(Clone, Debug, Args)]
#[command(after_help = ON_EXAMPLES)]
pub(crate) struct OnArguments {
    #[command(flatten)]
    pub(crate) sites: Sites,
    /// What the sites do with ordinary visitors.
    #[arg(long, default_value = "offline", value_parser = closed_mode())]
    pub(crate) mode: Mode,
    /// What visitors are told; plain text.
    #[arg(long, value_name = "TEXT", value_parser = message, conflicts_with = "message_file")]
    pub(crate) message: Option<Message>,
    /// The same from a file; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) message_file: Option<PathBuf>,
    /// When you expect to be done: RFC 3339, or in this machine's zone '2026-11-21 02:00', 02:00, 'tomorrow 02:00'.
    ///
    /// Visitors and Retry-After are told. The site does not open by itself.
    #[arg(long, value_name = "TIME", conflicts_with = "duration")]
    pub(crate) until: Option<String>,
    /// How long you expect it to take: 90s, 30m, 2h, 1h30m, 1d.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// Retry-After in seconds, instead of the configured one.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) retry_after: Option<u32>,
    #[command(flatten)]
    pub(crate) wait: Wait,
    /// Why, for the log: a ticket, a sentence. Visitors do not see it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
    /// Who, for the log; your login name when left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// Opens sites again.
///
/// A planned window that is in force is disabled too, because the site would stay closed with it. What the
/// operator told visitors, and exemptions added while the site was closed, end with it.
#[derive(Clone, Debug, Args)]
#[command(after_help = OFF_EXAMPLES)]
pub(crate) struct OffArguments {
    #[command(flatten)]
    pub(crate) sites: Sites,
    /// Only if the site is in this period of maintenance, as `on` and `status` print it: never end somebody else's.
    #[arg(long, value_name = "ID")]
    pub(crate) if_activation: Option<ActivationId>,
    #[command(flatten)]
    pub(crate) wait: Wait,
    /// Why, for the log: a ticket, a sentence.
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
    /// Who, for the log; your login name when left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

pub(super) fn message(text: &str) -> Result<Message, maintenance_mode::state::MessageError> {
    Message::new(text)
}
