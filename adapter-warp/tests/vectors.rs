//! Every vector through the guard, in process, where each may have the peer that it wants.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Empty;
use maintenance_mode::{Maintenance, Peer};
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::vectors::{self, Case};
use maintenance_mode_warp::MaintenanceFilters;
use tower_service::Service;
use warp::Filter;
use warp::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};

/// warp does not show an authority that differs from `Host`, so that these two agree is not seen: it is
/// closed as long as any site is.
const CLOSED_ALTHOUGH_OPEN: &str = "Q295";

/// A request as hyper hands it on; `None` where the `http` crate refuses it.
fn request(case: &Case) -> Option<Request<Empty<Bytes>>> {
    let line = &case.request;
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
    if let Peer::Addr(address) = case.peer() {
        request
            .extensions_mut()
            .insert(SocketAddr::new(address, 4711));
    }
    Some(request)
}

/// Whether the request of a case reaches the application.
async fn comes_through(
    case: &Case,
    maintenance: Maintenance,
    request: Request<Empty<Bytes>>,
) -> bool {
    let reached = warp::any().map(|| StatusCode::IM_A_TEAPOT);
    let mut filters = MaintenanceFilters::new(maintenance);
    if case.peer() == Peer::Unix {
        filters = filters.unix_socket();
    }
    let mut service = warp::service(filters.guard(reached));
    let response = service.call(request).await.unwrap();
    let reached = response.status() == 418;
    let marked = response.headers().contains_key("x-maintenance");
    assert_ne!(reached, marked, "{}", case.id);
    reached
}

#[tokio::test]
async fn every_vector_that_warp_can_be_given_holds() -> Result<(), Broken> {
    let mut exceptions = 0;
    vectors::in_process(async |case, maintenance| {
        let reached = comes_through(case, maintenance, request(case)?).await;
        if case.id == CLOSED_ALTHOUGH_OPEN {
            assert!(!reached, "warp shows authorities now: {}", case.id);
            exceptions += 1;
            return None;
        }
        Some(reached)
    })
    .await?;
    assert_eq!(exceptions, 1, "{CLOSED_ALTHOUGH_OPEN} is no case any more");
    Ok(())
}
