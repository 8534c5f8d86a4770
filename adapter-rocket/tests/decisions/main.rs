//! What the fairing does with a request, in process.
#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket's handlers own what guards give them"
)]
#![allow(clippy::unwrap_used)]

mod answers;
mod guards;
mod overrides;
mod routing;
mod shared;
mod status;
mod visitors;

pub(crate) use maintenance_mode_conformance::in_memory::{close, closed, maintenance, open};
use maintenance_mode_rocket::MaintenanceFairing;
use rocket::config::LogLevel;
use rocket::local::asynchronous::{Client, LocalResponse};
use rocket::{Build, Rocket, get, routes};

/// A Rocket that says nothing.
pub(crate) fn quiet() -> Rocket<Build> {
    rocket::custom(rocket::Config {
        log_level: LogLevel::Off,
        ..rocket::Config::debug_default()
    })
}

pub(crate) async fn client(site: Rocket<Build>) -> Client {
    Client::untracked(site).await.unwrap()
}

#[get("/")]
fn home() -> &'static str {
    "hello"
}

/// A small application with the fairing.
pub(crate) async fn site(fairing: MaintenanceFairing) -> Client {
    client(quiet().attach(fairing).mount("/", routes![home])).await
}

pub(crate) async fn status(site: &Client, path: &'static str) -> u16 {
    site.get(path).dispatch().await.status().code
}

pub(crate) async fn ask(site: &Client, path: &'static str) -> (u16, String) {
    told(site.get(path).dispatch().await).await
}

/// The status and the body.
pub(crate) async fn told(response: LocalResponse<'_>) -> (u16, String) {
    let status = response.status().code;
    (status, response.into_string().await.unwrap_or_default())
}
