//! Every admitted request is counted until its response body ends, whatever ends it.
#![allow(clippy::unwrap_used)]

mod in_process;
mod on_the_wire;

use maintenance_mode::{Config, Maintenance};

async fn maintenance(config: Config) -> Maintenance {
    Maintenance::start(config.backend("memory:")).await.unwrap()
}
