//! Every vector through the layer, in process, where each may have the peer that it wants.
#![allow(clippy::unwrap_used)]

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{Empty, Full};
use maintenance_mode::Maintenance;
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::vectors::{self, Case};
use maintenance_mode_tower::MaintenanceLayer;
use tower::{Layer, ServiceExt, service_fn};

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
    request.extensions_mut().insert(case.peer());
    Some(request)
}

/// Whether the request of a case reaches the application.
async fn comes_through(
    case: &Case,
    maintenance: Maintenance,
    request: Request<Empty<Bytes>>,
) -> bool {
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
async fn every_vector_that_tower_can_be_given_holds() -> Result<(), Broken> {
    vectors::in_process(async |case, maintenance| {
        let request = request(case)?;
        Some(comes_through(case, maintenance, request).await)
    })
    .await
}
