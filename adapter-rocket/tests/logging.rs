//! What Rocket's usual access log, a response fairing, tells of blocked requests and of failures.
#![allow(clippy::unwrap_used)]

use std::io::Write as _;

use maintenance_mode::{Config, Maintenance, Mode, Off, SiteName};
use maintenance_mode_conformance::log::Log;
use maintenance_mode_rocket::{MaintenanceFairing, Verdict};
use rocket::config::LogLevel;
use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::local::asynchronous::Client;
use rocket::{get, routes};

#[get("/open")]
const fn fails() -> Status {
    Status::ServiceUnavailable
}

async fn site(maintenance: &Maintenance, log: &Log) -> Client {
    let log = log.clone();
    let access_log = AdHoc::on_response("Access log", move |request, response| {
        let status = response.status().code;
        let mut log = log.clone();
        Box::pin(async move {
            let verdict = Verdict::of(request);
            let blocked = verdict
                .as_deref()
                .is_some_and(maintenance_mode::Verdict::is_blocked);
            let reason = verdict.map_or_else(|| "-".to_owned(), |verdict| verdict.to_string());
            let (method, uri) = (request.method(), request.uri());
            writeln!(log, "{method} {uri} {status} {reason} {blocked}").unwrap();
        })
    });
    let site = rocket::custom(rocket::Config {
        log_level: LogLevel::Off,
        ..rocket::Config::debug_default()
    });
    let fairing = MaintenanceFairing::new(maintenance.clone());
    // Before and after the fairing, a log sees the same.
    let site = site
        .attach(access_log)
        .attach(fairing)
        .mount("/", routes![fails]);
    Client::untracked(site).await.unwrap()
}

#[tokio::test]
async fn d19_the_access_log_tells_maintenance_from_a_failure() {
    let config = Config::new().backend("memory:").allow_path("/open");
    let maintenance = Maintenance::start(config).await.unwrap();
    let log = Log::default();
    let site = site(&maintenance, &log).await;
    let sites = [SiteName::default()];
    let offline = maintenance_mode::On::mode(Mode::Offline);
    maintenance.on(&sites, &offline).await.unwrap();
    site.head("/a%20b?c=d").dispatch().await;
    site.post("/").dispatch().await;
    site.get("/open").dispatch().await;
    maintenance.off(&sites, &Off::default()).await.unwrap();
    site.get("/open").dispatch().await;
    assert_eq!(
        log.text(),
        "HEAD /a%20b?c=d 503 offline true\n\
         POST / 503 offline true\n\
         GET /open 503 path false\n\
         GET /open 503 - false\n"
    );
}
