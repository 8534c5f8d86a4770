//! Every admitted request is counted until Rocket is done with it, whatever ends it.
#![allow(clippy::unwrap_used)]

mod in_process;
mod on_the_wire;

use maintenance_mode::{Config, Maintenance};
use rocket::config::LogLevel;
use rocket::{Build, Rocket};

async fn maintenance(config: Config) -> Maintenance {
    Maintenance::start(config.backend("memory:")).await.unwrap()
}

fn quiet() -> Rocket<Build> {
    rocket::custom(rocket::Config {
        log_level: LogLevel::Off,
        address: std::net::Ipv4Addr::LOCALHOST.into(),
        port: 0,
        ..rocket::Config::debug_default()
    })
}
