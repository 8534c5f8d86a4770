//! A request of an open site costs one box more than without the middleware: the one that poem puts every
//! body into.
#![allow(clippy::unwrap_used)]

use allocation_counter::measure;
use maintenance_mode::{Config, Identity, Maintenance};
use maintenance_mode_poem::MaintenanceMiddleware;
use poem::endpoint::{BoxEndpoint, make_sync};
use poem::middleware::NormalizePath;
use poem::{Body, Endpoint, EndpointExt, Request, Route, get};
use tokio::runtime::Runtime;

/// What one request allocates, after the first.
fn cost_of(runtime: &Runtime, site: &BoxEndpoint<'static>) -> u64 {
    let mut cost = 0;
    for _ in 0..10 {
        let request = Request::builder()
            .header("host", "shop.example")
            .header("cookie", "sessionid=1")
            .finish();
        let measured = measure(|| {
            let response = runtime.block_on(site.get_response(request));
            assert_eq!(response.status(), 200);
        });
        cost = measured.count_total;
    }
    cost
}

#[test]
fn an_open_site_costs_the_box_of_the_counted_body() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let config = Config::new()
        .backend("memory:")
        .allow_path("/open")
        .allow_role("staff");
    let maintenance = runtime.block_on(Maintenance::start(config)).unwrap();
    let gate = MaintenanceMiddleware::new(maintenance.clone())
        .identify(async |_: &Request| Identity::anonymous())
        .force_off_at("/open");
    // A body that already is a box: what another middleware may do to it costs nothing.
    let hello = || make_sync(|_| Body::from("hello"));
    let routes = || Route::new().at("/", get(hello()));
    let plain = cost_of(&runtime, &routes().boxed());
    assert!(plain > 0, "nothing was measured");
    let gated = cost_of(&runtime, &routes().with(gate).boxed());
    assert_eq!(gated, plain + 1);
    // Where nothing is wrapped, a middleware costs nothing.
    let other = routes().with(NormalizePath::default());
    assert_eq!(cost_of(&runtime, &other.boxed()), plain);
    assert_eq!(maintenance.in_flight().count(), 0);
}
