//! A request of an open site costs no allocation more than without the layer.
#![allow(clippy::unwrap_used)]

use std::convert::Infallible;

use allocation_counter::measure;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::Full;
use maintenance_mode::{Config, Identity, Maintenance};
use maintenance_mode_tower::{MaintenanceLayer, Routes};
use tokio::runtime::Runtime;
use tower::{Layer, Service, service_fn};

async fn hello(_: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = std::hint::black_box(String::from("hello"));
    Ok(Response::new(Full::new(text.into())))
}

/// What one request allocates, after the first.
fn cost_of<S, R>(runtime: &Runtime, mut service: S) -> u64
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>, Error = Infallible>,
{
    let mut cost = 0;
    for _ in 0..10 {
        let request = Request::get("/")
            .header("host", "shop.example")
            .header("cookie", "sessionid=1");
        let request = request.body(Full::default()).unwrap();
        let measured = measure(|| {
            let response = runtime.block_on(service.call(request)).unwrap();
            assert_eq!(response.status(), 200);
        });
        cost = measured.count_total;
    }
    cost
}

#[test]
fn an_open_site_allocates_as_without_the_layer() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let config = Config::new()
        .backend("memory:")
        .allow_path("/open")
        .allow_role("staff");
    let maintenance = runtime.block_on(Maintenance::start(config)).unwrap();
    let layer = MaintenanceLayer::new(maintenance.clone())
        .identify(async |_: &Parts| Identity::anonymous())
        .routes(Routes::by(|_| None).force_off("/open"));
    let plain = cost_of(&runtime, service_fn(hello));
    assert!(plain > 0, "nothing was measured");
    assert_eq!(cost_of(&runtime, layer.layer(service_fn(hello))), plain);
    assert_eq!(maintenance.in_flight().count(), 0);
}

/// `Router::layer` boxes bodies that are not its own, and a body that counts is not.
#[test]
fn in_an_axum_router_the_box_of_the_body_is_all_that_it_costs() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let config = Config::new().backend("memory:");
    let maintenance = runtime.block_on(Maintenance::start(config)).unwrap();
    let router = || axum::Router::new().route("/", axum::routing::get(async || "hello"));
    let with_nothing = router()
        .layer(tower::layer::util::Identity::new())
        .with_state(());
    let with_ours = router()
        .layer(MaintenanceLayer::new(maintenance))
        .with_state(());
    let plain = cost_of(&runtime, with_nothing);
    assert_eq!(cost_of(&runtime, with_ours), plain + 1);
}
