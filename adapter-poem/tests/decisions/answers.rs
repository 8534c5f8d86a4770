//! Answers as they are sent.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::SocketAddr as UnixAddr;

use maintenance_mode::{Config, Mode, Peer, Reason, SiteName};
use maintenance_mode_poem::{Drain, MaintenanceMiddleware, Verdict};
use poem::http::{Method, Request as HttpRequest, header};
use poem::{Addr, Body, EndpointExt, Request, Route};

use super::{
    ask, close, closed, get_at, maintenance, open, reached, request, served, site, status, text,
};

#[tokio::test]
async fn an_open_site_is_left_alone() {
    let site = site(MaintenanceMiddleware::new(maintenance(Config::new()).await));
    let response = get_at(&site, "/").await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("x-maintenance"));
    assert_eq!(response.data::<Verdict>(), None);
    assert_eq!(text(response).await, "handler reached");
    assert_eq!(status(&site, "/nowhere").await, 404);
}

#[tokio::test]
async fn d26_a_closed_site_answers_for_every_path_known_or_not() {
    let site = site(MaintenanceMiddleware::new(closed(Config::new()).await));
    for path in [
        "/", "/open", "/nowhere", "/users/7", "/a//b", "/%2e%2e", "/%d0", "*",
    ] {
        let response = get_at(&site, path).await;
        assert_eq!(response.status(), 503, "{path}");
        let headers = response.headers();
        assert_eq!(headers.get("x-maintenance").unwrap(), "1");
        assert_eq!(headers.get(header::CACHE_CONTROL).unwrap(), "no-store");
        assert!(headers.contains_key(header::RETRY_AFTER), "{path}");
        let verdict = response.data::<Verdict>().unwrap();
        assert_eq!(
            (verdict.reason, verdict.is_blocked(), verdict.to_string()),
            (Reason::Offline, true, "offline".to_owned())
        );
    }
}

#[tokio::test]
async fn the_switch_is_seen_by_the_next_request() {
    let maintenance = maintenance(Config::new().allow_path("/open")).await;
    let site = site(MaintenanceMiddleware::new(maintenance.clone()));
    assert_eq!(status(&site, "/").await, 200);
    close(&maintenance, Mode::Offline).await;
    assert_eq!(status(&site, "/").await, 503);
    let exempt = get_at(&site, "/open").await;
    let verdict = exempt.data::<Verdict>().unwrap();
    assert_eq!(
        (exempt.status().as_u16(), verdict.is_blocked()),
        (200, false)
    );
    assert_eq!(verdict.to_string(), "path");
    open(&maintenance).await;
    assert_eq!(status(&site, "/").await, 200);
}

#[tokio::test]
async fn d20_what_is_forced_for_a_while_is_seen_and_put_back() {
    let maintenance = maintenance(Config::new()).await;
    let site = site(MaintenanceMiddleware::new(maintenance.clone()));
    let default = SiteName::default();
    let during = maintenance.force(&default, Mode::Offline, status(&site, "/"));
    assert_eq!(during.await.unwrap(), 503);
    assert_eq!(status(&site, "/").await, 200);

    close(&maintenance, Mode::Offline).await;
    let guard = maintenance.force_guard(&default, Mode::Online).await;
    let guard = guard.unwrap();
    assert_eq!(status(&site, "/").await, 200);
    guard.end().await.unwrap();
    assert_eq!(status(&site, "/").await, 503);
}

#[tokio::test]
async fn head_has_the_fields_of_get_and_no_body() {
    let site = site(MaintenanceMiddleware::new(closed(Config::new()).await));
    let from_get = get_at(&site, "/").await;
    let from_head = ask(&site, request(HttpRequest::head("/"))).await;
    assert_eq!(from_head.status(), from_get.status());
    let length = |headers: &poem::http::HeaderMap| headers.get(header::CONTENT_LENGTH).cloned();
    assert_eq!(length(from_head.headers()), length(from_get.headers()));
    assert!(from_head.headers().keys().eq(from_get.headers().keys()));
    let promised = length(from_head.headers()).unwrap();
    let body = text(from_get).await;
    assert_eq!(promised.to_str().unwrap(), body.len().to_string());
    assert_eq!(text(from_head).await, "");
}

fn from(peer: &str) -> Request {
    let address: SocketAddr = format!("{peer}:4711").parse().unwrap();
    served(HttpRequest::get("/"), address.into())
}

#[tokio::test]
async fn a_peer_is_the_sockets_and_never_a_headers() {
    let maintenance = closed(Config::new().allow_address("192.0.2.7")).await;
    let gate = || MaintenanceMiddleware::new(maintenance.clone());
    let plain = site(gate());
    assert_eq!(ask(&plain, from("192.0.2.7")).await.status(), 200);
    assert_eq!(ask(&plain, from("192.0.2.8")).await.status(), 503);
    // What poem's `RealIp` believes.
    for field in ["x-real-ip", "x-forwarded-for", "forwarded"] {
        let mut forged = from("192.0.2.8");
        let value = poem::http::HeaderValue::from_static("192.0.2.7");
        forged.headers_mut().insert(field, value);
        assert_eq!(ask(&plain, forged).await.status(), 503, "{field}");
    }
    let nobody = served(HttpRequest::get("/"), Addr::default());
    assert_eq!(ask(&plain, nobody).await.status(), 503);

    let address: IpAddr = "192.0.2.7".parse().unwrap();
    let told = site(gate().peer(move |_| Peer::Addr(address)));
    assert_eq!(ask(&told, from("192.0.2.8")).await.status(), 200);
}

#[tokio::test]
async fn a_unix_socket_is_told_by_poem_or_by_the_author() {
    let config = Config::from_toml(
        "[client_ip]\nsource = \"x-forwarded-for\"\ntrust_unix = true\n[allow]\naddresses = [\"192.0.2.7\"]",
    );
    let maintenance = closed(config.unwrap()).await;
    let plain = site(MaintenanceMiddleware::new(maintenance.clone()));
    let by = |peer: Addr| {
        let forwarded = HttpRequest::get("/").header("x-forwarded-for", "192.0.2.7");
        served(forwarded, peer)
    };
    let unix = || Addr::unix(UnixAddr::from_pathname("/run/site").unwrap().into());
    let tcp = || Addr::socket(SocketAddr::from(([203, 0, 113, 9], 80)));
    assert_eq!(ask(&plain, by(unix())).await.status(), 200);
    assert_eq!(ask(&plain, by(tcp())).await.status(), 503);
    assert_eq!(ask(&plain, by(Addr::default())).await.status(), 503);
    let told = site(MaintenanceMiddleware::new(maintenance).unix_socket());
    assert_eq!(ask(&told, by(Addr::default())).await.status(), 200);
    assert_eq!(ask(&told, by(tcp())).await.status(), 503);
}

#[tokio::test]
async fn tests_are_what_the_author_says() {
    let maintenance = closed(Config::new().allow_tests(true)).await;
    let under_test = site(MaintenanceMiddleware::new(maintenance.clone()).test_mode(true));
    assert_eq!(status(&under_test, "/").await, 200);
    let in_service = site(MaintenanceMiddleware::new(maintenance));
    assert_eq!(status(&in_service, "/").await, 503);
}

#[tokio::test]
async fn nested_rules_see_the_full_path() {
    let maintenance = closed(Config::new().allow_path("/api/open")).await;
    let api = Route::new()
        .at("/open", reached())
        .at("/shut", reached())
        .with(MaintenanceMiddleware::new(maintenance));
    let site = Route::new().nest("/api", api);
    assert_eq!(status(&site, "/api/open").await, 200);
    assert_eq!(status(&site, "/api/shut").await, 503);
    assert_eq!(status(&site, "/elsewhere").await, 404);
}

#[tokio::test]
async fn requests_of_poems_builder_have_their_path_too() {
    let maintenance = closed(Config::new().allow_path("/open")).await;
    let site = site(MaintenanceMiddleware::new(maintenance));
    for (path, expected) in [("/open", 200), ("/", 503), ("/shut", 503)] {
        let built = Request::builder().uri_str(path).finish();
        assert_eq!(ask(&site, built).await.status(), expected, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_read_ends_the_connection_where_the_author_wants_it() {
    let maintenance = closed(Config::new()).await;
    let gate = || MaintenanceMiddleware::new(maintenance.clone());
    let upload = |version| {
        let builder = HttpRequest::builder().method(Method::POST).uri("/");
        let builder = builder.version(version).header(header::CONTENT_LENGTH, "5");
        let mut request = request(builder);
        request.set_body(Body::from_string("hello".to_owned()));
        request
    };
    let http_1 = poem::http::Version::HTTP_11;
    let answer = ask(&site(gate().drain(None)), upload(http_1)).await;
    assert_eq!(answer.headers()[header::CONNECTION], "close");
    let small = Drain::new(4, std::time::Duration::from_secs(1));
    let answer = ask(&site(gate().drain(Some(small))), upload(http_1)).await;
    assert_eq!(answer.headers()[header::CONNECTION], "close");
    let answer = ask(&site(gate()), upload(http_1)).await;
    assert!(!answer.headers().contains_key(header::CONNECTION));
    let http_2 = upload(poem::http::Version::HTTP_2);
    let answer = ask(&site(gate().drain(None)), http_2).await;
    assert!(!answer.headers().contains_key(header::CONNECTION));
}
