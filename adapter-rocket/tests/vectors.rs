//! Every vector through the fairing, in process, where each may have the peer that it wants.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;

use maintenance_mode::{Maintenance, Peer};
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::vectors::{self, Case};
use maintenance_mode_rocket::MaintenanceFairing;
use rocket::config::LogLevel;
use rocket::http::uri::{Authority, Host, Origin};
use rocket::http::{Header, Method, Status};
use rocket::local::asynchronous::{Client, LocalRequest};
use rocket::{Request, catch, catchers};

/// The authority and the rest, if a target names one (RFC 9112, section 3.2.2).
fn absolute(target: &str) -> Option<(&str, &str)> {
    let (_, rest) = target
        .split_once("://")
        .filter(|(scheme, _)| !scheme.contains('/'))?;
    Some(rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
}

/// What Rocket finds in a target: of an absolute form, nothing but what comes after the authority.
fn origin(target: &str) -> Option<Origin<'static>> {
    let text = match absolute(target) {
        Some((_, rest)) if rest.starts_with('/') => rest.to_owned(),
        Some((_, rest)) => format!("/{rest}"),
        None => target.to_owned(),
    };
    Origin::parse_owned(text).ok()
}

/// A request as Rocket has it; `None` where Rocket refuses it.
fn request<'c>(client: &'c Client, case: &'c Case) -> Option<LocalRequest<'c>> {
    let line = &case.request;
    let target = line["target"].as_str()?;
    let has_sites = case.config.contains("[sites");
    if absolute(target).is_some() && has_sites {
        return None;
    }
    // Rocket's own parsing of methods ignores case; its server's does not.
    let wire = line["method"].as_str().unwrap_or("GET");
    let method: Method = wire
        .parse()
        .ok()
        .filter(|method: &Method| method.as_str() == wire)?;
    let mut request = client.req(method, origin(target)?);
    for field in line["headers"].as_array().into_iter().flatten() {
        let value = field[1]
            .as_str()
            .filter(|value| !value.contains(['\r', '\n', '\0']))?;
        request.add_header(Header::new(field[0].as_str()?.to_owned(), value.to_owned()));
    }
    if let Some(authority) = line["authority"].as_str() {
        request.set_host(Host::new(Authority::parse(authority).ok()?));
    }
    if let Peer::Addr(ip) = case.peer() {
        request.set_remote(SocketAddr::new(ip, 4711));
    }
    Some(request)
}

/// Comes after every route, and before nothing.
#[catch(404)]
fn reached(_: &Request<'_>) -> (Status, &'static str) {
    (Status::ImATeapot, "reached")
}

/// Whether the request of a case reaches the application.
async fn comes_through(case: &Case, maintenance: Maintenance) -> Option<bool> {
    let peer = case.peer();
    let mut fairing = MaintenanceFairing::new(maintenance.clone());
    if !matches!(peer, Peer::Addr(_)) {
        fairing = fairing.peer(move |_| peer);
    }
    let site = rocket::custom(rocket::Config {
        log_level: LogLevel::Off,
        ..rocket::Config::debug_default()
    });
    let site = site.attach(fairing).register("/", catchers![reached]);
    let client = Client::untracked(site).await.unwrap();
    let response = request(&client, case)?.dispatch().await;
    let reached = response.status().code == 418;
    assert_ne!(
        reached,
        response.headers().contains("x-maintenance"),
        "{}",
        case.id
    );
    assert_eq!(
        maintenance.in_flight().count(),
        u64::from(reached),
        "{}",
        case.id
    );
    Some(reached)
}

#[tokio::test]
async fn every_vector_that_rocket_can_be_given_holds() -> Result<(), Broken> {
    vectors::in_process(async |case, maintenance| comes_through(case, maintenance).await).await
}
