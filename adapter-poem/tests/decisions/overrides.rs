//! Routes that are always open or always closed.

use maintenance_mode::{Config, Maintenance};
use maintenance_mode_poem::{MaintenanceMiddleware, Verdict};
use poem::http::{Method, Request as HttpRequest};
use poem::middleware::{NormalizePath, TrailingSlash};
use poem::{Endpoint, EndpointExt, Route, get};

use super::{ask, closed, get_at, maintenance, reached, request, site, status};

#[tokio::test]
async fn d22_a_single_path_is_forced_off() {
    let gate = MaintenanceMiddleware::new(closed(Config::new()).await);
    let site = site(gate.force_off_at("/open").force_off_at("/users/7"));
    assert_eq!(status(&site, "/open").await, 200);
    assert_eq!(status(&site, "/users/7").await, 200);
    for path in [
        "/shut",
        "/open/more",
        "/open/",
        "//open",
        "/%6fpen",
        "/OPEN",
        "/users/8",
    ] {
        assert_eq!(status(&site, path).await, 503, "{path}");
    }
}

#[tokio::test]
async fn d22_a_single_path_is_forced_on() {
    let maintenance = maintenance(Config::new().allow_path("/shut")).await;
    let gate = MaintenanceMiddleware::new(maintenance.clone());
    let site = site(gate.force_off_at("/shut").force_on_at("/shut"));
    assert_eq!(status(&site, "/shut").await, 503);
    assert_eq!(status(&site, "/open").await, 200);
    assert_eq!(status(&site, "/nowhere").await, 404);
    super::close(&maintenance, maintenance_mode::Mode::Offline).await;
    assert_eq!(status(&site, "/shut").await, 503);
}

#[tokio::test]
async fn control_is_open() {
    let gate = MaintenanceMiddleware::new(closed(Config::new()).await);
    let site = site(gate.control_at("/control"));
    let response = get_at(&site, "/control").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.data::<Verdict>().unwrap().to_string(), "control");
    assert_eq!(status(&site, "/control/").await, 503);
    assert_eq!(status(&site, "/%63ontrol").await, 503);
}

/// An open application with a route that is closed by itself, whatever methods it has.
fn with_a_closed_route(maintenance: &Maintenance) -> impl Endpoint + use<> {
    let closed = || MaintenanceMiddleware::force_on(maintenance.clone());
    Route::new()
        .at("/", reached())
        .at("/shut/:id", get(reached()).with(closed()))
        .nest("/legacy", Route::new().at("/x", reached()).with(closed()))
        .with(MaintenanceMiddleware::new(maintenance.clone()).force_off_at("/shut/7"))
}

#[tokio::test]
async fn d22_a_route_is_forced_on_while_the_site_is_open() {
    let maintenance = maintenance(Config::new()).await;
    let site = with_a_closed_route(&maintenance);
    assert_eq!(status(&site, "/").await, 200);
    for path in [
        "/shut/7",
        "/shut/%37",
        "/legacy/x",
        "/legacy/nowhere",
        "/legacy",
    ] {
        assert_eq!(status(&site, path).await, 503, "{path}");
    }
    for method in [Method::HEAD, Method::POST, Method::OPTIONS] {
        let builder = HttpRequest::builder().method(method.clone()).uri("/shut/7");
        let response = ask(&site, request(builder)).await;
        assert_eq!(response.status(), 503, "{method}");
    }
    assert_eq!(status(&site, "/nowhere").await, 404);
    assert_eq!(maintenance.in_flight().count(), 0);

    // However a middleware further out has changed the path.
    let slashes = NormalizePath::new(TrailingSlash::Trim);
    let normalized = with_a_closed_route(&maintenance).with(slashes);
    assert_eq!(status(&normalized, "/shut/7/").await, 503);
}

#[tokio::test]
async fn d22_force_on_beats_every_exemption_and_force_off() {
    let config = Config::new().allow_path("/shut/7").health(["/shut/7"]);
    let maintenance = closed(config).await;
    let site = with_a_closed_route(&maintenance);
    let response = get_at(&site, "/shut/7").await;
    assert_eq!(response.status(), 503);
    // The verdict is that of the one that blocked.
    let verdict = response.data::<Verdict>().unwrap();
    assert_eq!(
        (verdict.to_string().as_str(), verdict.is_blocked()),
        ("force_on", true)
    );
}

#[tokio::test]
async fn d22_an_inner_force_off_opens_what_no_outer_gate_closes() {
    let maintenance = closed(Config::new()).await;
    let open = || {
        let open = MaintenanceMiddleware::force_off(maintenance.clone());
        Route::new().at("/open", reached().with(open))
    };
    let response = get_at(&open(), "/open").await;
    assert_eq!(response.status(), 200);
    let verdict = response.data::<Verdict>().unwrap();
    assert_eq!(verdict.to_string(), "force_off");
    let under = open().with(MaintenanceMiddleware::new(maintenance.clone()));
    assert_eq!(status(&under, "/open").await, 503);
}

/// As the crate's page shows it: what stays open stands beside the gate, with any pattern.
#[tokio::test]
async fn d22_routes_of_a_pattern_stay_open_beside_the_gate() {
    let maintenance = closed(Config::new()).await;
    let open = MaintenanceMiddleware::force_off(maintenance.clone());
    let gate = MaintenanceMiddleware::new(maintenance.clone());
    let shop = Route::new()
        .at("/", reached())
        .at("/webhooks/admin", reached())
        .nest("/deep", Route::new().at("/x", reached()));
    let site = Route::new()
        .at("/webhooks/:shop", get(reached()).with(open))
        .nest_no_strip("/", shop.with(gate));
    assert_eq!(status(&site, "/webhooks/7").await, 200);
    for path in [
        "/",
        "/webhooks/7/x",
        "/webhooks/",
        "/deep/x",
        "/nowhere",
        "/webhooks",
    ] {
        assert_eq!(status(&site, path).await, 503, "{path}");
    }
    // The open handler has it; the one behind the gate is not reached.
    assert_eq!(status(&site, "/webhooks/admin").await, 200);
    // What the outer router refuses by itself.
    assert_eq!(status(&site, "*").await, 404);
    assert_eq!(status(&site, "/%d0").await, 400);
}
