//! Answers as they are sent.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri};
use axum::routing::get;
use http::{Method, Request, header};
use maintenance_mode::{Config, Peer, Reason};
use maintenance_mode_tower::{MaintenanceLayer, Verdict};

use super::{ask, close, closed, maintenance, open, request, site, status, text};

#[tokio::test]
async fn an_open_site_is_left_alone() {
    let site = site(MaintenanceLayer::new(maintenance(Config::new()).await));
    let response = ask(&site, request("/")).await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("x-maintenance"));
    assert_eq!(response.extensions().get::<Verdict>(), None);
    assert_eq!(text(response).await, "handler reached");
    assert_eq!(status(&site, "/nowhere").await, 404);
}

#[tokio::test]
async fn d26_a_closed_site_answers_for_every_path_known_or_not() {
    let site = site(MaintenanceLayer::new(closed(Config::new()).await));
    for path in ["/", "/open", "/nowhere", "/users/7", "/a//b", "/%2e%2e"] {
        let response = ask(&site, request(path)).await;
        assert_eq!(response.status(), 503, "{path}");
        let headers = response.headers();
        assert_eq!(headers.get("x-maintenance").unwrap(), "1");
        assert_eq!(headers.get(header::CACHE_CONTROL).unwrap(), "no-store");
        assert!(headers.contains_key(header::RETRY_AFTER), "{path}");
        let verdict = response.extensions().get::<Verdict>().unwrap();
        assert_eq!(
            (verdict.reason, verdict.is_blocked(), verdict.to_string()),
            (Reason::Offline, true, "offline".to_owned())
        );
    }
}

#[tokio::test]
async fn the_switch_is_seen_by_the_next_request() {
    let maintenance = maintenance(Config::new().allow_path("/open")).await;
    let site = site(MaintenanceLayer::new(maintenance.clone()));
    assert_eq!(status(&site, "/").await, 200);
    close(&maintenance, maintenance_mode::Mode::Offline).await;
    assert_eq!(status(&site, "/").await, 503);
    let exempt = ask(&site, request("/open")).await;
    let verdict = exempt.extensions().get::<Verdict>().unwrap();
    assert_eq!(
        (exempt.status().as_u16(), verdict.is_blocked()),
        (200, false)
    );
    assert_eq!(verdict.to_string(), "path");
    open(&maintenance).await;
    assert_eq!(status(&site, "/").await, 200);
}

#[tokio::test]
async fn head_has_the_fields_of_get_and_no_body() {
    let site = site(MaintenanceLayer::new(closed(Config::new()).await));
    let mut of_head = request("/");
    *of_head.method_mut() = Method::HEAD;
    let from_get = ask(&site, request("/")).await;
    let from_head = ask(&site, of_head).await;
    assert_eq!(from_head.status(), from_get.status());
    let length = |headers: &http::HeaderMap| headers.get(header::CONTENT_LENGTH).cloned();
    assert_eq!(length(from_head.headers()), length(from_get.headers()));
    assert!(from_head.headers().keys().eq(from_get.headers().keys()));
    let promised = length(from_head.headers()).unwrap();
    let body = text(from_get).await;
    assert_eq!(promised.to_str().unwrap(), body.len().to_string());
    assert_eq!(text(from_head).await, "");
}

fn from(peer: &str) -> Request<Body> {
    let address: SocketAddr = format!("{peer}:4711").parse().unwrap();
    let mut request = request("/");
    request.extensions_mut().insert(ConnectInfo(address));
    request
}

#[tokio::test]
async fn a_peer_is_the_sockets_and_never_a_headers() {
    let maintenance = closed(Config::new().allow_address("192.0.2.7")).await;
    let layer = || MaintenanceLayer::new(maintenance.clone());
    let told = site(layer().peer_from(|info: &ConnectInfo<SocketAddr>| info.ip()));
    assert_eq!(ask(&told, from("192.0.2.7")).await.status(), 200);
    assert_eq!(ask(&told, from("192.0.2.8")).await.status(), 503);
    let mut forged = from("192.0.2.8");
    let value = http::HeaderValue::from_static("192.0.2.7");
    forged.headers_mut().insert("x-forwarded-for", value);
    assert_eq!(ask(&told, forged).await.status(), 503);
    assert_eq!(ask(&told, request("/")).await.status(), 503);

    // Nobody said where axum's is; a plain address is found.
    let untold = site(layer());
    assert_eq!(ask(&untold, from("192.0.2.7")).await.status(), 503);
    let mut plain = request("/");
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    plain
        .extensions_mut()
        .insert(SocketAddr::new(address, 4711));
    assert_eq!(ask(&untold, plain).await.status(), 200);
    let fixed = site(layer().peer(move |_| Peer::Addr(address)));
    assert_eq!(status(&fixed, "/").await, 200);
}

#[tokio::test]
async fn a_unix_socket_is_trusted_only_where_the_author_says_that_there_is_one() {
    let config = Config::from_toml(
        "[client_ip]\nsource = \"x-forwarded-for\"\ntrust_unix = true\n[allow]\naddresses = [\"192.0.2.7\"]",
    );
    let maintenance = closed(config.unwrap()).await;
    let forwarded = || {
        let request = Request::get("/").header("x-forwarded-for", "192.0.2.7");
        request.body(Body::empty()).unwrap()
    };
    let tcp = site(MaintenanceLayer::new(maintenance.clone()));
    assert_eq!(ask(&tcp, forwarded()).await.status(), 503);
    let unix = site(MaintenanceLayer::new(maintenance).unix_socket());
    assert_eq!(ask(&unix, forwarded()).await.status(), 200);
}

#[tokio::test]
async fn tests_are_what_the_author_says() {
    let maintenance = closed(Config::new().allow_tests(true)).await;
    let under_test = site(MaintenanceLayer::new(maintenance.clone()).test_mode(true));
    assert_eq!(status(&under_test, "/").await, 200);
    let in_service = site(MaintenanceLayer::new(maintenance));
    assert_eq!(status(&in_service, "/").await, 503);
}

#[tokio::test]
async fn on_a_nested_router_rules_see_the_full_path() {
    let maintenance = closed(Config::new().allow_path("/api/open")).await;
    let layer = MaintenanceLayer::new(maintenance)
        .original_uri(|request| request.get::<OriginalUri>().map(|original| &original.0));
    let api = Router::new()
        .route("/open", get(async || "open"))
        .route("/shut", get(async || "shut"))
        .layer(layer);
    let site = Router::new().nest("/api", api);
    assert_eq!(status(&site, "/api/open").await, 200);
    assert_eq!(status(&site, "/api/shut").await, 503);
    assert_eq!(status(&site, "/elsewhere").await, 404);
}
