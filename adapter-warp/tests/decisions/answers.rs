//! Answers as they are sent.

use std::net::SocketAddr;

use maintenance_mode::{Config, Mode, Reason};
use maintenance_mode_warp::{MaintenanceFilters, Verdict};
use warp::http::{StatusCode, header};
use warp::test::RequestBuilder;
use warp::{Filter, Rejection, Reply, reply};

use super::{close, closed, maintenance, open, request, routes, site, status, text};

#[tokio::test]
async fn an_open_site_is_left_alone() {
    let site = site(&MaintenanceFilters::new(maintenance(Config::new()).await));
    let response = request("/").reply(&site).await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("x-maintenance"));
    assert_eq!(response.extensions().get::<Verdict>(), None);
    assert_eq!(text(&response), "handler reached");
    assert_eq!(status(&site, "/nowhere").await, 404);
    assert_eq!(status(&site, "/users/nobody").await, 404);
}

#[tokio::test]
async fn d26_a_closed_site_answers_for_every_path_known_or_not() {
    let site = site(&MaintenanceFilters::new(closed(Config::new()).await));
    for path in [
        "/", "/open", "/nowhere", "/users/7", "/a//b", "/%2e%2e", "*",
    ] {
        let response = request(path).reply(&site).await;
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
    let site = site(&MaintenanceFilters::new(maintenance.clone()));
    assert_eq!(status(&site, "/").await, 200);
    close(&maintenance, Mode::Offline).await;
    assert_eq!(status(&site, "/").await, 503);
    let exempt = request("/open").reply(&site).await;
    let verdict = exempt.extensions().get::<Verdict>().unwrap();
    assert_eq!(
        (exempt.status().as_u16(), verdict.is_blocked()),
        (200, false)
    );
    assert_eq!(verdict.to_string(), "path");
    open(&maintenance).await;
    assert_eq!(status(&site, "/").await, 200);
}

/// `warp::path::full` panics for these.
#[tokio::test]
async fn d26_a_target_without_a_path_is_answered_too() {
    let shut = site(&MaintenanceFilters::new(
        closed(Config::new().allow_path("/")).await,
    ));
    let open = site(&MaintenanceFilters::new(maintenance(Config::new()).await));
    for (method, host) in [("CONNECT", "shop.example:443"), ("GET", "shop.example")] {
        let target = || {
            request("shop.example:443")
                .method(method)
                .header("host", host)
        };
        assert_eq!(target().reply(&shut).await.status(), 503, "{method}");
        assert_ne!(target().reply(&open).await.status(), 503, "{method}");
    }
}

#[tokio::test]
async fn no_recover_and_no_other_route_gets_hold_of_a_blocked_request() {
    async fn swallow(_: Rejection) -> Result<impl Reply, Rejection> {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Ok(reply::with_status("swallowed", status))
    }
    let filters = MaintenanceFilters::new(closed(Config::new().allow_path("/open")).await);
    let other = warp::get().map(|| "the other route");
    let inside = filters.guard(routes().recover(swallow));
    let site = inside
        .or(other)
        .recover(swallow)
        .with(warp::cors().allow_any_origin())
        .with(warp::log("access"))
        .map(Reply::into_response);
    for path in ["/", "/nowhere", "/users/7"] {
        assert_eq!(status(&site, path).await, 503, "{path}");
    }
    // With what comes through, everything is as without maintenance.
    let nothing = filters.guard(warp::path!("open" / "more").map(|| "more"));
    let tried = request("/open").reply(&nothing.clone().or(other)).await;
    assert_eq!(text(&tried), "the other route");
    let swallowed = request("/open").reply(&nothing.recover(swallow)).await;
    assert_eq!(text(&swallowed), "swallowed");
}

#[tokio::test]
async fn head_has_the_fields_of_get_and_no_body() {
    let site = site(&MaintenanceFilters::new(closed(Config::new()).await));
    let from_get = request("/").reply(&site).await;
    let from_head = request("/").method("HEAD").reply(&site).await;
    assert_eq!(from_head.status(), from_get.status());
    assert!(from_head.headers().keys().eq(from_get.headers().keys()));
    let promised = from_head.headers().get(header::CONTENT_LENGTH).unwrap();
    assert_eq!(
        promised,
        from_get.headers().get(header::CONTENT_LENGTH).unwrap()
    );
    assert_eq!(
        promised.to_str().unwrap(),
        from_get.body().len().to_string()
    );
    assert_eq!(text(&from_head), "");
}

fn from(peer: &str) -> RequestBuilder {
    let address: SocketAddr = format!("{peer}:4711").parse().unwrap();
    request("/").remote_addr(address)
}

#[tokio::test]
async fn a_peer_is_the_sockets_and_never_a_headers() {
    let maintenance = closed(Config::new().allow_address("192.0.2.7")).await;
    let site = site(&MaintenanceFilters::new(maintenance));
    assert_eq!(from("192.0.2.7").reply(&site).await.status(), 200);
    assert_eq!(from("192.0.2.8").reply(&site).await.status(), 503);
    let forged = from("192.0.2.8").header("x-forwarded-for", "192.0.2.7");
    assert_eq!(forged.reply(&site).await.status(), 503);
    assert_eq!(status(&site, "/").await, 503);
}

#[tokio::test]
async fn a_unix_socket_is_trusted_only_where_the_author_says_that_there_is_one() {
    let config = Config::from_toml(
        "[client_ip]\nsource = \"x-forwarded-for\"\ntrust_unix = true\n[allow]\naddresses = [\"192.0.2.7\"]",
    );
    let maintenance = closed(config.unwrap()).await;
    let forwarded = || request("/").header("x-forwarded-for", "192.0.2.7");
    let tcp = MaintenanceFilters::new(maintenance);
    assert_eq!(forwarded().reply(&site(&tcp)).await.status(), 503);
    let unix = tcp.clone().unix_socket();
    assert_eq!(forwarded().reply(&site(&unix)).await.status(), 200);
    assert_eq!(forwarded().reply(&site(&tcp)).await.status(), 503);
}

#[tokio::test]
async fn tests_are_what_the_author_says() {
    let filters = MaintenanceFilters::new(closed(Config::new().allow_tests(true)).await);
    let under_test = site(&filters.clone().test_mode(true));
    assert_eq!(status(&under_test, "/").await, 200);
    assert_eq!(status(&site(&filters), "/").await, 503);
}

#[tokio::test]
async fn behind_a_prefix_rules_see_the_full_path() {
    let maintenance = closed(Config::new().allow_path("/api/open")).await;
    let api = MaintenanceFilters::new(maintenance).guard(routes());
    let site = warp::path("api").and(api);
    assert_eq!(status(&site, "/api/open").await, 200);
    assert_eq!(status(&site, "/api/shut").await, 503);
    assert_eq!(status(&site, "/elsewhere").await, 404);
}

#[tokio::test]
async fn a_host_that_contradicts_the_target_opens_nothing() {
    let config = Config::from_toml(
        "[sites.shop]\nhosts = [\"shop.example\"]\nmode = \"offline\"\n\
         [sites.blog]\nhosts = [\"blog.example\"]",
    );
    let site = site(&MaintenanceFilters::new(maintenance(config.unwrap()).await));
    for (target, host, expected) in [
        ("/", Some("blog.example"), 200),
        ("/", Some("shop.example"), 503),
        ("/", Some("no host at all"), 503),
        ("http://blog.example/", None, 200),
        ("http://shop.example/", None, 503),
        ("http://blog.example/", Some("blog.example"), 200),
        ("http://shop.example/", Some("blog.example"), 503),
        ("http://blog.example/", Some("shop.example"), 503),
    ] {
        let mut asked = request(target);
        if let Some(host) = host {
            asked = asked.header(header::HOST, host);
        }
        let response = asked.reply(&site).await;
        assert_eq!(response.status(), expected, "{target} at {host:?}");
    }
}
