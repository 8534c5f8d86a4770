//! A request of an open site costs one box more than without the middleware: the one that poem puts every
//! body into.
#![allow(clippy::unwrap_used)]

use allocation_counter::measure;
use http_body_util::combinators::BoxBody;
use maintenance_mode::{Config, Identity, Maintenance};
use maintenance_mode_poem::MaintenanceMiddleware;
use poem::endpoint::{BoxEndpoint, make_sync};
use poem::{Endpoint, EndpointExt, Request, Response, Route, get};
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

async fn rebox(result: poem::Result<Response>) -> poem::Result<Response> {
    let mut response = result?;
    let body: BoxBody<_, _> = response.take_body().into();
    response.set_body(BoxBody::new(body));
    Ok(response)
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
    let routes = || Route::new().at("/", get(make_sync(|_| "hello")));
    let plain = cost_of(&runtime, &routes().boxed());
    assert!(plain > 0, "nothing was measured");
    let gated = cost_of(&runtime, &routes().with(gate).boxed());
    assert_eq!(gated, plain + 1);
    // As whatever looks at a body's end: poem's body is a box around a box.
    let reboxed = routes().after(rebox).boxed();
    assert_eq!(cost_of(&runtime, &reboxed), gated);
    assert_eq!(maintenance.in_flight().count(), 0);
}
