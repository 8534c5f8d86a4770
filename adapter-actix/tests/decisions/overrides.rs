//! Routes that are always open or always closed.

use actix_web::test;
use actix_web::{App, web};
use maintenance_mode::Config;
use maintenance_mode_actix::MaintenanceMw;

use super::{closed, get, maintenance, site};

#[actix_web::test]
async fn d22_a_named_route_is_forced_off() {
    let middleware = MaintenanceMw::new(closed(Config::new()).await)
        .force_off_named("open")
        .force_off_named("user");
    let site = site(middleware).await;
    assert_eq!(get(&site, "/open").await.0, 200);
    assert_eq!(get(&site, "/users/7").await.0, 200);
    assert_eq!(get(&site, "/shut").await.0, 503);
    assert_eq!(get(&site, "/open/more").await.0, 503);
    // The router takes it for `/open`, the wire does not: doubt means blocked.
    assert_eq!(get(&site, "/%6fpen").await.0, 503);
}

#[actix_web::test]
async fn d22_a_named_route_is_forced_on_in_every_spelling_that_reaches_it() {
    let middleware = MaintenanceMw::new(maintenance(Config::new()).await).force_on_named("shut");
    let site = site(middleware).await;
    assert_eq!(get(&site, "/").await.0, 200);
    for spelling in ["/shut", "/%73hut", "/shu%74", "/%73%68%75%74"] {
        let (status, body) = get(&site, spelling).await;
        assert_eq!(
            (status, body.contains("handler reached")),
            (503, false),
            "{spelling}"
        );
    }
}

#[actix_web::test]
async fn d22_force_on_beats_every_exemption_and_force_off() {
    let config = Config::new().allow_path("/shut").health(["/shut"]);
    let middleware = MaintenanceMw::new(closed(config).await)
        .force_on_named("shut")
        .force_off_named("shut");
    let site = site(middleware).await;
    assert_eq!(get(&site, "/shut").await.0, 503);
}

#[actix_web::test]
async fn d22_control_is_open_by_identity_and_not_by_path() {
    let middleware = MaintenanceMw::new(closed(Config::new()).await).control_named("control");
    let site = site(middleware).await;
    assert_eq!(get(&site, "/control").await.0, 200);
    assert_eq!(get(&site, "/control/").await.0, 503);
    assert_eq!(get(&site, "/%63ontrol").await.0, 503);
}

#[actix_web::test]
async fn d22_a_scope_is_closed_by_its_own_middleware() {
    let maintenance = maintenance(Config::new()).await;
    let legacy = web::scope("/legacy")
        .wrap(MaintenanceMw::force_on(maintenance.clone()))
        .default_service(web::to(async || "old"));
    let app = App::new()
        .wrap(MaintenanceMw::new(maintenance.clone()))
        .service(legacy)
        .route("/", web::to(async || "hello"));
    let site = test::init_service(app).await;
    assert_eq!(get(&site, "/").await.0, 200);
    for path in ["/legacy/x", "/legacy/", "/%6cegacy/x"] {
        assert_eq!(get(&site, path).await.0, 503, "{path}");
    }
    assert_eq!(maintenance.in_flight().count(), 0);
}

#[actix_web::test]
async fn d22_an_inner_force_off_opens_what_no_outer_middleware_closes() {
    let maintenance = closed(Config::new()).await;
    let open = || {
        web::resource("/open")
            .wrap(MaintenanceMw::force_off(maintenance.clone()))
            .route(web::to(async || "open"))
    };
    let alone = test::init_service(App::new().service(open())).await;
    assert_eq!(get(&alone, "/open").await.0, 200);
    let outer = MaintenanceMw::new(maintenance.clone());
    let under = test::init_service(App::new().wrap(outer).service(open())).await;
    assert_eq!(get(&under, "/open").await.0, 503);
}
