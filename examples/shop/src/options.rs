//! The command line, and what follows from it at the start.

use std::error::Error;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use maintenance_mode::policy::config::process_environment;
use maintenance_mode::{Config, Maintenance};
use tracing_subscriber::EnvFilter;

/// A small real site that can be closed.
#[derive(Debug, clap::Parser)]
pub struct Options {
    /// The address to listen on; port 0 for a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The configuration; without it, the built-in one with the state in the working folder.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How many threads serve.
    #[arg(long, value_name = "N", default_value = "2")]
    pub workers: NonZeroUsize,
}

impl Options {
    /// Starts following the switch.
    ///
    /// # Errors
    ///
    /// The configuration is wrong, or the backend cannot be used.
    pub async fn start_maintenance(&self) -> Result<Maintenance, Box<dyn Error>> {
        Ok(match &self.config {
            Some(file) => Maintenance::from_file(file).await?,
            None => {
                let loaded = Config::load(None, process_environment())?;
                Maintenance::start(loaded.config).await?
            }
        })
    }
}

/// Logs to standard error, as `RUST_LOG` says.
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}
