//! Every vector through the middleware, in process, where each may have the peer that it wants.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::os::unix::net::SocketAddr as UnixAddr;

use maintenance_mode::{Maintenance, Peer};
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::vectors::{self, Case};
use maintenance_mode_poem::MaintenanceMiddleware;
use poem::endpoint::make_sync;
use poem::http::uri::Scheme;
use poem::http::{HeaderName, HeaderValue, Method, Request as HttpRequest, StatusCode, Uri};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Body, Endpoint, EndpointExt, Request, RequestParts};

/// A request as poem's server hands it on; `None` where the `http` crate refuses it.
fn request(case: &Case) -> Option<Request> {
    let line = &case.request;
    let mut uri: Uri = line["target"].as_str()?.parse().ok()?;
    if let Some(authority) = line["authority"].as_str() {
        // As hyper's HTTP/2 connections do.
        let whole = Uri::builder().scheme("https").authority(authority);
        let whole = whole.path_and_query(uri.path_and_query()?.as_str());
        uri = whole.build().ok()?;
    }
    let (mut head, ()) = HttpRequest::new(()).into_parts();
    let method = line["method"].as_str().unwrap_or("GET");
    head.method = Method::from_bytes(method.as_bytes()).ok()?;
    head.uri = uri;
    for field in line["headers"].as_array().into_iter().flatten() {
        let name = HeaderName::from_bytes(field[0].as_str()?.as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(field[1].as_str()?.as_bytes()).ok()?;
        head.headers.append(name, value);
    }
    let peer = match case.peer() {
        Peer::Addr(address) => SocketAddr::new(address, 4711).into(),
        Peer::Unix => Addr::unix(UnixAddr::from_pathname("/run/site").unwrap().into()),
        _ => Addr::default(),
    };
    let parts = RequestParts::from((head, LocalAddr::default(), RemoteAddr(peer), Scheme::HTTP));
    Some(Request::from_parts(parts, Body::empty()))
}

/// Whether the request of a case reaches the application.
async fn comes_through(case: &Case, maintenance: Maintenance, request: Request) -> bool {
    let gate = MaintenanceMiddleware::new(maintenance);
    let site = make_sync(|_| StatusCode::IM_A_TEAPOT).with(gate);
    let response = site.get_response(request).await;
    let reached = response.status() == 418;
    let marked = response.headers().contains_key("x-maintenance");
    assert_ne!(reached, marked, "{}", case.id);
    reached
}

#[tokio::test]
async fn every_vector_that_poem_can_be_given_holds() -> Result<(), Broken> {
    vectors::in_process(async |case, maintenance| {
        let request = request(case)?;
        Some(comes_through(case, maintenance, request).await)
    })
    .await
}
