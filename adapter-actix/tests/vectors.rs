//! Every vector through the middleware, in process, where each may have the peer that it wants.
#![allow(
    clippy::future_not_send,
    reason = "actix keeps a connection on one thread"
)]
#![allow(clippy::unwrap_used)]

use actix_http::Request;
use actix_web::dev::Service;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::test::{self, TestRequest};
use actix_web::{App, HttpResponse, web};
use maintenance_mode::{Maintenance, Peer};
use maintenance_mode_actix::MaintenanceMw;
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::vectors::{self, Case};

/// A request as actix has it; `None` where actix's parser refuses it.
fn request(case: &Case) -> Option<Request> {
    let line = &case.request;
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
    request.head_mut().peer_addr = match case.peer() {
        Peer::Addr(ip) => Some(std::net::SocketAddr::new(ip, 4711)),
        _ => None,
    };
    Some(request)
}

/// Whether the request of a case reaches the application.
async fn comes_through(case: &Case, maintenance: Maintenance, request: Request) -> bool {
    let peer = case.peer();
    let mut middleware = MaintenanceMw::new(maintenance);
    if !matches!(peer, Peer::Addr(_)) {
        middleware = middleware.peer(move |_| peer);
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
async fn every_vector_that_actix_can_be_given_holds() -> Result<(), Broken> {
    vectors::in_process(async |case, maintenance| {
        let request = request(case)?;
        Some(comes_through(case, maintenance, request).await)
    })
    .await
}
