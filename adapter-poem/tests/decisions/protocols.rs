//! Clients that are no browsers asking for a page.

use maintenance_mode::Config;
use maintenance_mode_poem::MaintenanceMiddleware;
use poem::http::{Request as HttpRequest, Version, header};

use super::{ask, closed, request, site, text};

async fn closed_site(answer: &str) -> poem::endpoint::BoxEndpoint<'static> {
    let config = Config::from_toml(answer).unwrap();
    site(MaintenanceMiddleware::new(closed(config).await))
}

#[tokio::test]
async fn b10_grpc_gets_its_status_in_headers_alone() {
    let site = closed_site("").await;
    let call = HttpRequest::post("/shop.Cart/Add")
        .version(Version::HTTP_2)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers");
    let mut call = request(call);
    call.set_body("\0\0\0\0\0");
    let response = ask(&site, call).await;
    assert_eq!(response.status(), 200);
    let headers = response.headers();
    assert_eq!(headers["grpc-status"], "14");
    assert_eq!(headers[header::CONTENT_TYPE], "application/grpc");
    assert!(!headers.contains_key(header::CONNECTION));
    assert_eq!(text(response).await, "");
}

#[tokio::test]
async fn b10_a_web_socket_is_refused_before_it_is_one() {
    let site = closed_site("").await;
    let upgrade = HttpRequest::get("/")
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
    let response = ask(&site, request(upgrade)).await;
    assert_eq!(response.status(), 503);
    assert!(!response.headers().contains_key(header::UPGRADE));
    assert!(response.headers().contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn b10_an_event_source_is_told_to_come_back() {
    let site = closed_site("").await;
    let events = HttpRequest::get("/").header(header::ACCEPT, "text/event-stream");
    let response = ask(&site, request(events)).await;
    // Any other status makes a browser give up for good.
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-maintenance"], "1");
    assert!(text(response).await.starts_with("retry: "));
}

#[tokio::test]
async fn b10_a_preflight_lets_the_page_read_the_503() {
    let site = closed_site("[answer]\ncors = [\"https://app.example\"]").await;
    let preflight = HttpRequest::options("/api")
        .header(header::ORIGIN, "https://app.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
    let response = ask(&site, request(preflight)).await;
    assert_eq!(response.status(), 204);
    let allowed = &response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN];
    assert_eq!(allowed, "https://app.example");
    let real = HttpRequest::post("/api").header(header::ORIGIN, "https://app.example");
    let response = ask(&site, request(real)).await;
    assert_eq!(response.status(), 503);
    let allowed = &response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN];
    assert_eq!(allowed, "https://app.example");
}
