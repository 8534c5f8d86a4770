//! `explain` and `whoami`.

use std::path::PathBuf;

use clap::Args;
use maintenance_mode::{Mode, SiteName};

use super::values::{any_mode, header, site_mode};

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  maintenance explain /cart                                    as things are now
  maintenance explain POST /login --mode read-only             what if every site were read-only
  maintenance explain http://shop.example/cart --peer 10.0.0.2 -H 'X-Forwarded-For: 192.0.2.7'
  maintenance explain --mode offline --requests cases.jsonl    many, each answered by one JSON line

With --mode no backend is opened, so that a team can keep its own cases in its CI. A mode that the configuration
pins beats --mode and site modes. A line of --requests is a JSON object; all but \"target\" may be left out:
  {\"method\", \"target\", \"headers\": [[name, value], …], \"peer\": \"ADDR\" or \"unix\", \"authority\", \"http_version\",
   \"inner_path\", \"routed_path\", \"effective_method\", \"proxy_protocol\": {…}, \"authenticated\", \"user\", \"roles\": […],
   \"inside\", \"test\", \"site_modes\": {\"shop\": \"offline\", …}, \"now\"}

Exit codes: 0 answered (allowed or blocked), 1 some lines could not be answered, 2 wrong command line or
configuration, 20 the state cannot be read (give --mode).";

const WHOAMI_EXAMPLES: &str = "\
Examples:
  maintenance whoami --peer 10.0.0.2 -H 'X-Forwarded-For: 192.0.2.7, 10.0.0.9'
  echo '{\"peer\": \"unix\", \"headers\": [[\"Forwarded\", \"for=192.0.2.7\"]]}' | maintenance whoami --request -

Exit codes: 0 an address, 1 none can be told, 2 wrong command line or configuration.";

/// One request, from options.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RequestArguments {
    /// A header field; give it again for more. Order and repetition count.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,
    /// The other end of the connection: an address without port, or `unix`.
    #[arg(long, value_name = "ADDR|unix")]
    pub(crate) peer: Option<String>,
}

/// Says whether a request gets through, and why.
///
/// The answer comes from the rules that every instance follows, step by step: what was compared, which rule
/// decided, and what a blocked visitor would get.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct ExplainArguments {
    /// The method, if given, and the target: `/cart`, `POST /cart`, `http://host/cart`.
    #[arg(value_name = "[METHOD] TARGET", num_args = 1..=2, required_unless_present = "requests")]
    pub(crate) request: Vec<String>,
    /// Answer many requests: a file with one JSON object a line, or `-` for standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "request", "method", "headers", "host", "peer", "user", "roles", "authenticated", "test",
    ])]
    pub(crate) requests: Option<PathBuf>,
    /// The method; GET when left out.
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<String>,
    #[command(flatten)]
    pub(crate) facts: RequestArguments,
    /// The Host field.
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// The visitor is logged in under this id.
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
    /// The visitor is logged in and has this role; give it again for more.
    #[arg(long = "role", value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
    /// The visitor is logged in.
    #[arg(long)]
    pub(crate) authenticated: bool,
    /// The application runs under test.
    #[arg(long)]
    pub(crate) test: bool,
    /// The time of the request; now when left out. The forms of `on --until`.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// What if every site were in this mode, without windows and without what is stored.
    #[arg(long, value_parser = any_mode())]
    pub(crate) mode: Option<Mode>,
    /// What if this site were in this mode; give it again for more.
    #[arg(long = "site-mode", value_name = "NAME=MODE", value_parser = site_mode)]
    pub(crate) site_modes: Vec<(SiteName, Mode)>,
}

/// Says which client address the server would see, and why.
///
/// It follows `client_ip` of the configuration through the peer and the headers, and names the address rules
/// that the outcome meets. An address that cannot be told for certain meets none.
#[derive(Clone, Debug, Args)]
#[command(after_help = WHOAMI_EXAMPLES)]
pub(crate) struct WhoamiArguments {
    #[command(flatten)]
    pub(crate) facts: RequestArguments,
    /// Take the request from a file instead, as one JSON object like those of `explain`; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["headers", "peer"])]
    pub(crate) request: Option<PathBuf>,
}
