//! Every vector through the middleware, in process, where each may have the peer that it wants.
#![allow(
    clippy::future_not_send,
    reason = "actix keeps a connection on one thread"
)]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use actix_http::Request;
use actix_web::dev::Service;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::test::{self, TestRequest};
use actix_web::{App, HttpResponse, web};
use maintenance_mode::{Config, Maintenance, Mode, On, Peer, SiteName};
use maintenance_mode_actix::MaintenanceMw;
use maintenance_mode_conformance::vectors::{self, Case, Expected};

/// A request as actix has it; `None` where actix's parser refuses it, or where the case is about what
/// another framework makes of a request.
fn request(case: &Case) -> Option<Request> {
    let line = &case.request;
    let others = [
        "routed_path",
        "effective_method",
        "inner_path",
        "proxy_protocol",
    ];
    if others.iter().any(|key| !line[*key].is_null()) {
        return None;
    }
    let mut uri: Uri = line["target"].as_str()?.parse().ok()?;
    if let Some(authority) = line["authority"].as_str() {
        // As actix's HTTP/2 dispatcher hands it on.
        let parts = Uri::builder().scheme("https").authority(authority);
        uri = parts
            .path_and_query(uri.path_and_query()?.as_str())
            .build()
            .ok()?;
    }
    let method = Method::from_bytes(line["method"].as_str().unwrap_or("GET").as_bytes()).ok()?;
    let mut request = TestRequest::default().method(method).to_request();
    request.head_mut().uri = uri;
    for field in line["headers"].as_array().into_iter().flatten() {
        let name = HeaderName::from_bytes(field[0].as_str()?.as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(field[1].as_str()?.as_bytes()).ok()?;
        request.headers_mut().append(name, value);
    }
    let peer = line["peer"].as_str().and_then(|peer| peer.parse().ok());
    request.head_mut().peer_addr = peer.map(|ip| std::net::SocketAddr::new(ip, 4711));
    Some(request)
}

/// Whether the request of a case reaches the application.
async fn comes_through(case: &Case, request: Request) -> bool {
    let config = Config::from_toml(&case.config).unwrap().backend("memory:");
    let maintenance = Maintenance::start(config).await.unwrap();
    let mut by_mode: BTreeMap<Mode, Vec<SiteName>> = BTreeMap::new();
    for (site, mode) in &case.modes {
        by_mode.entry(*mode).or_default().push(site.clone());
    }
    by_mode.remove(&Mode::Online);
    for (mode, sites) in by_mode {
        maintenance.on(&sites, &On::mode(mode)).await.unwrap();
    }
    let mut middleware = MaintenanceMw::new(maintenance);
    if case.request["peer"] == "unix" {
        middleware = middleware.unix_socket();
    } else if case.request["peer"].is_null() {
        middleware = middleware.peer(|_| Peer::Unknown);
    }
    let app = App::new()
        .wrap(middleware)
        .default_service(web::to(async || HttpResponse::ImATeapot()));
    let site = test::init_service(app).await;
    let response = site.call(request).await.unwrap();
    let reached = response.status() == 418;
    assert_ne!(
        reached,
        response.headers().contains_key("x-maintenance"),
        "{}",
        case.id
    );
    reached
}

#[actix_web::test]
async fn every_vector_that_actix_can_be_given_holds() {
    let mut tried = 0;
    let mut left_out = 0;
    let mut failures = Vec::new();
    for case in vectors::all().unwrap() {
        let expected = case.via_http_crate.unwrap_or(case.expected);
        let Expected::Verdict { allowed, .. } = expected else {
            assert!(case.policy().is_err(), "{}", case.id);
            continue;
        };
        let Some(request) = request(&case) else {
            left_out += 1;
            continue;
        };
        tried += 1;
        if comes_through(&case, request).await != allowed {
            failures.push(format!("{} ({}): expected {allowed}", case.id, case.why));
        }
    }
    println!(
        "{tried} tried, {left_out} are nothing that actix's parser lets through or are about other frameworks"
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(tried > 600, "only {tried}");
}
