//! Routes that are always open or always closed.

use maintenance_mode::Config;
use maintenance_mode_warp::{MaintenanceFilters, Verdict};
use warp::{Filter, Reply};

use super::{closed, maintenance, request, routes, site, status};

#[tokio::test]
async fn d22_a_route_is_forced_off_beside_the_guard() {
    let filters = MaintenanceFilters::new(closed(Config::new()).await);
    let user = warp::path!(u32).map(|_| "handler reached");
    let site = warp::path("users")
        .and(filters.force_off(user))
        .or(site(&filters))
        .unify();
    let response = request("/users/7").reply(&site).await;
    assert_eq!(response.status(), 200);
    let verdict = response.extensions().get::<Verdict>().unwrap();
    assert_eq!(verdict.to_string(), "force_off");
    // What is not routed there is not it.
    for path in ["/shut", "/users/7/x", "/users/nobody", "/%75sers/7"] {
        assert_eq!(status(&site, path).await, 503, "{path}");
    }
}

#[tokio::test]
async fn d22_a_route_is_forced_on_behind_its_path() {
    let filters = MaintenanceFilters::new(maintenance(Config::new()).await);
    let legacy = warp::path("legacy").and(filters.force_on(warp::any().map(|| "old")));
    let site = filters.guard(legacy.or(routes()));
    for path in ["/legacy", "/legacy/", "/legacy/x/y?z"] {
        assert_eq!(status(&site, path).await, 503, "{path}");
    }
    assert_eq!(status(&site, "/").await, 200);
    assert_eq!(status(&site, "/nowhere").await, 404);
}

#[tokio::test]
async fn d22_force_on_beats_every_exemption_and_force_off() {
    let config = Config::new().allow_path("/shut").health(["/shut"]);
    let filters = MaintenanceFilters::new(closed(config).await);
    let shut = || warp::path("shut").and(filters.force_on(warp::any().map(|| "no")));
    let under_force_off = filters.force_off(shut());
    assert_eq!(status(&under_force_off, "/shut").await, 503);
    assert_eq!(status(&filters.guard(shut()), "/shut").await, 503);
}

#[tokio::test]
async fn d22_an_inner_force_off_opens_what_no_outer_guard_closes() {
    let filters = MaintenanceFilters::new(closed(Config::new()).await);
    let open = || filters.force_off(warp::path!("open").map(|| "open"));
    assert_eq!(status(&open(), "/open").await, 200);
    assert_eq!(status(&filters.guard(open()), "/open").await, 503);
}

#[tokio::test]
async fn control_is_open_by_the_routes_identity() {
    let filters = MaintenanceFilters::new(closed(Config::new()).await);
    let control = filters.control(warp::path!("control").map(|| "ok"));
    let site = control.or(site(&filters)).unify();
    let response = request("/control").reply(&site).await;
    let verdict = response.extensions().get::<Verdict>().unwrap();
    assert_eq!(
        (response.status().as_u16(), verdict.to_string()),
        (200, "control".to_owned())
    );
    assert_eq!(status(&site, "/control/x").await, 503);
    assert_eq!(status(&site, "/%63ontrol").await, 503);
}

#[tokio::test]
async fn the_verdict_is_that_of_the_guard_that_blocked() {
    let filters = MaintenanceFilters::new(closed(Config::new().allow_path("/legacy")).await);
    let legacy = warp::path("legacy").and(filters.force_on(warp::any().map(|| "old")));
    let site = filters.guard(legacy).map(Reply::into_response);
    let response = request("/legacy").reply(&site).await;
    let verdict = response.extensions().get::<Verdict>().unwrap();
    assert_eq!(
        (verdict.to_string().as_str(), verdict.is_blocked()),
        ("force_on", true)
    );
}
