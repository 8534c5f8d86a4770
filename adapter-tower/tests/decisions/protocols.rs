//! Clients that read no pages: gRPC, WebSockets, event streams, scripts of other origins.

use axum::Router;
use axum::body::Body;
use http::{Method, Request, Response, header};
use maintenance_mode::Config;
use maintenance_mode_tower::MaintenanceLayer;

use super::{ask, closed, site, text};

async fn shut() -> Router {
    site(MaintenanceLayer::new(closed(Config::new()).await))
}

/// Asks a closed site for `/`.
async fn refused(method: Method, fields: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::builder().method(method);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    ask(&shut().await, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn b10_a_websocket_is_refused_before_it_is_one() {
    let response = refused(
        Method::GET,
        &[
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ],
    )
    .await;
    assert_eq!(response.status(), 503);
    assert!(!response.headers().contains_key(header::UPGRADE));
    assert!(response.headers().contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn b10_an_event_source_is_told_and_comes_back() {
    let response = refused(Method::GET, &[("accept", "text/event-stream")]).await;
    // Any other status would make a browser give up for good.
    assert_eq!(response.status(), 200);
    let headers = response.headers();
    let content_type = headers[header::CONTENT_TYPE].to_str().unwrap();
    assert!(content_type.starts_with("text/event-stream"));
    assert_eq!(headers["x-maintenance"], "1");
    let text = text(response).await;
    assert!(text.starts_with("retry: "), "{text}");
    assert!(text.contains("\nevent: maintenance\n"), "{text}");
}

#[tokio::test]
async fn b10_a_script_of_another_origin_is_let_see_the_503() {
    const ORIGIN: (&str, &str) = ("origin", "https://app.example");
    let asks = [ORIGIN, ("access-control-request-method", "PUT")];
    let preflight = refused(Method::OPTIONS, &asks).await;
    assert!(preflight.status().is_success(), "{}", preflight.status());
    let allowed = &preflight.headers()[header::ACCESS_CONTROL_ALLOW_METHODS];
    assert!(allowed.to_str().unwrap().contains("PUT"));
    let response = refused(Method::PUT, &[ORIGIN]).await;
    assert_eq!(response.status(), 503);
    let headers = response.headers();
    assert!(headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    let exposed = &headers[header::ACCESS_CONTROL_EXPOSE_HEADERS];
    assert!(exposed.to_str().unwrap().contains("X-Maintenance"));
}
#[tokio::test]
async fn b10_grpc_gets_its_status_in_headers_alone() {
    let call = Request::post("/shop.Cart/Add")
        .version(http::Version::HTTP_2)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers");
    let response = ask(&shut().await, call.body(Body::from("\0\0\0\0\0")).unwrap()).await;
    assert_eq!(response.status(), 200);
    let headers = response.headers();
    assert_eq!(headers.get("grpc-status").unwrap(), "14");
    assert_eq!(
        headers.get(header::CONTENT_TYPE).unwrap(),
        "application/grpc"
    );
    assert!(!headers.contains_key(header::CONNECTION));
    assert_eq!(text(response).await, "");
}
