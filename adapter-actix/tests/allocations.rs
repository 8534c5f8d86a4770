//! A request of an open site costs no allocation more than without the middleware.
#![allow(clippy::unwrap_used)]

use actix_web::dev::Service;
use actix_web::test::{self, TestRequest};
use actix_web::{App, web};
use allocation_counter::AllocationInfo;
use maintenance_mode::{Config, Maintenance};
use maintenance_mode_actix::MaintenanceMw;

/// What one request allocates, after the pools are warm.
macro_rules! cost_of {
    ($system:expr, $app:expr) => {{
        let site = $system.block_on(test::init_service($app));
        let mut cost = AllocationInfo::default();
        for _ in 0..10 {
            let request = TestRequest::with_uri("/")
                .insert_header(("host", "shop.example"))
                .insert_header(("cookie", "sessionid=1"))
                .to_request();
            cost = allocation_counter::measure(|| {
                let response = $system.block_on(site.call(request)).unwrap();
                assert_eq!(response.status(), 200);
            });
        }
        cost
    }};
}

#[test]
fn an_open_site_allocates_as_without_the_middleware() {
    let system = actix_web::rt::System::new();
    let config = Config::new()
        .backend("memory:")
        .allow_path("/open")
        .allow_role("staff");
    let maintenance = system.block_on(Maintenance::start(config)).unwrap();
    let middleware = MaintenanceMw::new(maintenance.clone())
        .identify(async |_: &actix_web::dev::ServiceRequest| {
            maintenance_mode::Identity::anonymous()
        })
        .force_off_named("open");

    let hello = || web::get().to(async || "hello");
    let plain = cost_of!(system, App::new().route("/", hello()));
    let wrapped = cost_of!(system, App::new().wrap(middleware).route("/", hello()));
    assert!(plain.count_total > 0, "nothing was measured");
    assert_eq!(wrapped.count_total, plain.count_total);
    assert_eq!(maintenance.in_flight().count(), 0);
}
