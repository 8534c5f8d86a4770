//! Routes that are always open or always closed.

use axum::Router;
use axum::routing::any;
use maintenance_mode::Config;
use maintenance_mode_tower::{MaintenanceLayer, Verdict};

use super::{ask, closed, maintenance, request, routes, site, status};

#[tokio::test]
async fn d22_a_route_is_forced_off_by_its_template() {
    let routes = routes().force_off("/open").force_off("/users/{id}");
    let site = site(MaintenanceLayer::new(closed(Config::new()).await).routes(routes));
    assert_eq!(status(&site, "/open").await, 200);
    assert_eq!(status(&site, "/users/7").await, 200);
    // What is not routed there is not it.
    for path in ["/shut", "/open/more", "/open/", "/%6fpen", "/users/{id}/x"] {
        assert_eq!(status(&site, path).await, 503, "{path}");
    }
}

#[tokio::test]
async fn d22_a_route_is_forced_on_while_the_site_is_open() {
    let layer = MaintenanceLayer::new(maintenance(Config::new()).await);
    let site = site(layer.routes(routes().force_on("/shut").force_on("/users/{id}")));
    assert_eq!(status(&site, "/").await, 200);
    assert_eq!(status(&site, "/shut").await, 503);
    assert_eq!(status(&site, "/users/7").await, 503);
    assert_eq!(status(&site, "/nowhere").await, 404);
}

#[tokio::test]
async fn d22_force_on_beats_every_exemption_and_force_off() {
    let config = Config::new().allow_path("/shut").health(["/shut"]);
    let layer = MaintenanceLayer::new(closed(config).await);
    let site = site(layer.routes(routes().force_off("/shut").force_on("/shut")));
    assert_eq!(status(&site, "/shut").await, 503);
}

#[tokio::test]
async fn d22_control_is_open_by_the_routes_identity() {
    let layer = MaintenanceLayer::new(closed(Config::new()).await);
    let site = site(layer.routes(routes().control("/control")));
    assert_eq!(status(&site, "/control").await, 200);
    assert_eq!(status(&site, "/control/").await, 503);
    assert_eq!(status(&site, "/%63ontrol").await, 503);
}

#[tokio::test]
async fn d22_a_router_is_closed_by_its_own_layer() {
    let maintenance = maintenance(Config::new()).await;
    let legacy = Router::new()
        .fallback(any(async || "old"))
        .layer(MaintenanceLayer::force_on(maintenance.clone()));
    let site = Router::new()
        .route("/", any(async || "hello"))
        .nest("/legacy", legacy)
        .layer(MaintenanceLayer::new(maintenance.clone()));
    assert_eq!(status(&site, "/").await, 200);
    for path in ["/legacy/x", "/legacy/x/y?z"] {
        assert_eq!(status(&site, path).await, 503, "{path}");
    }
    assert_eq!(maintenance.in_flight().count(), 0);
}

#[tokio::test]
async fn d22_an_inner_force_off_opens_what_no_outer_layer_closes() {
    let maintenance = closed(Config::new()).await;
    let open = || {
        let layer = MaintenanceLayer::force_off(maintenance.clone());
        Router::new().route("/open", any(async || "open").layer(layer))
    };
    assert_eq!(status(&open(), "/open").await, 200);
    let under = open().layer(MaintenanceLayer::new(maintenance.clone()));
    assert_eq!(status(&under, "/open").await, 503);
}

#[tokio::test]
async fn d22_the_verdict_is_that_of_the_layer_that_blocked() {
    let maintenance = closed(Config::new().allow_path("/legacy")).await;
    let inner = MaintenanceLayer::force_on(maintenance.clone());
    let site = Router::new()
        .route("/legacy", any(async || "old").layer(inner))
        .layer(MaintenanceLayer::new(maintenance));
    let response = ask(&site, request("/legacy")).await;
    let verdict = response.extensions().get::<Verdict>().unwrap();
    assert_eq!(
        (verdict.to_string().as_str(), verdict.is_blocked()),
        ("force_on", true)
    );
}
