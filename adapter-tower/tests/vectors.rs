//! Every vector through the layer, in process, where each may have the peer that it wants.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{Empty, Full};
use maintenance_mode::{Config, Maintenance, Mode, On, Peer, SiteName};
use maintenance_mode_conformance::vectors::{self, Case, Expected};
use maintenance_mode_tower::MaintenanceLayer;
use tower::{Layer, ServiceExt, service_fn};

/// A request as hyper hands it on; `None` where the `http` crate refuses it, or where the case is about
/// what another framework makes of a request.
fn request(case: &Case) -> Option<Request<Empty<Bytes>>> {
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
        // As hyper's HTTP/2 connections do.
        let whole = Uri::builder().scheme("https").authority(authority);
        let whole = whole.path_and_query(uri.path_and_query()?.as_str());
        uri = whole.build().ok()?;
    }
    let mut request = Request::new(Empty::new());
    *request.method_mut() =
        Method::from_bytes(line["method"].as_str().unwrap_or("GET").as_bytes()).ok()?;
    *request.uri_mut() = uri;
    for field in line["headers"].as_array().into_iter().flatten() {
        let name = HeaderName::from_bytes(field[0].as_str()?.as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(field[1].as_str()?.as_bytes()).ok()?;
        request.headers_mut().append(name, value);
    }
    let peer = match line["peer"].as_str() {
        Some("unix") => Peer::Unix,
        peer => peer.and_then(|peer| peer.parse::<IpAddr>().ok()).into(),
    };
    request.extensions_mut().insert(peer);
    Some(request)
}

/// Whether the request of a case reaches the application.
async fn comes_through(case: &Case, request: Request<Empty<Bytes>>) -> bool {
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
    let reached = service_fn(async |_: Request<Empty<Bytes>>| {
        let mut response = Response::new(Full::<Bytes>::default());
        *response.status_mut() = http::StatusCode::IM_A_TEAPOT;
        Ok::<_, Infallible>(response)
    });
    let site = MaintenanceLayer::new(maintenance).layer(reached);
    let response = site.oneshot(request).await.unwrap();
    let reached = response.status() == 418;
    let marked = response.headers().contains_key("x-maintenance");
    assert_ne!(reached, marked, "{}", case.id);
    reached
}

#[tokio::test]
async fn every_vector_that_tower_can_be_given_holds() {
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
    println!("{tried} tried, {left_out} are nothing that hyper hands on");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(tried > 600, "only {tried}");
}
