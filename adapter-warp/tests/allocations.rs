//! What a request of an open site allocates more than without maintenance.
#![allow(clippy::unwrap_used)]

use std::convert::Infallible;

use allocation_counter::measure;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Empty};
use maintenance_mode::{Config, Identity, Maintenance};
use maintenance_mode_warp::MaintenanceFilters;
use tokio::runtime::Runtime;
use tower_service::Service;
use warp::http::{Request, StatusCode};
use warp::{Filter, Rejection, Reply, reply};

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

fn routes() -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone + Send + Sync {
    let whole = warp::path!("whole").map(|| String::from("hello"));
    let nothing = warp::path!("nothing").map(|| StatusCode::NO_CONTENT);
    let pieces = warp::path!("pieces")
        .map(|| reply::stream(stream::iter([Ok::<_, Infallible>(Bytes::from("hello"))])));
    whole.or(nothing).or(pieces)
}

/// What one request allocates, its body included, after the first.
fn cost_of<F, R>(runtime: &Runtime, routes: F, path: &str) -> u64
where
    F: Filter<Extract = (R,), Error = Rejection> + Clone + Send,
    R: Reply,
{
    let mut service = warp::service(routes);
    let mut cost = 0;
    for _ in 0..10 {
        let request = Request::get(path)
            .header("host", "shop.example")
            .header("cookie", "sessionid=1");
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let measured = measure(|| {
            runtime.block_on(async {
                let response = service.call(request).await.unwrap();
                let mut body = response.into_body();
                while body.frame().await.is_some() {}
            });
        });
        cost = measured.count_total;
    }
    cost
}

fn filters(runtime: &Runtime) -> (Maintenance, MaintenanceFilters) {
    let config = Config::new()
        .backend("memory:")
        .allow_path("/open")
        .allow_role("staff");
    let maintenance = runtime.block_on(Maintenance::start(config)).unwrap();
    let filters =
        MaintenanceFilters::new(maintenance.clone()).identify(async |_| Identity::anonymous());
    (maintenance, filters)
}

/// warp's body cannot be opened, so a body that is to count must be made anew: see the crate's page.
#[test]
fn an_open_site_pays_for_counting_the_body_and_for_nothing_else() {
    let runtime = runtime();
    let (maintenance, filters) = filters(&runtime);
    for (path, more) in [
        // The owner of the bytes, and the box of the body that has them.
        ("/whole", 2),
        // The box of the body that counts.
        ("/pieces", 1),
        // No body, no box.
        ("/nothing", 0),
        // A rejection, which becomes 404 further out.
        ("/nowhere", 0),
    ] {
        let plain = cost_of(&runtime, routes(), path);
        let guarded = cost_of(&runtime, filters.guard(routes()), path);
        println!("{path}: {plain} allocations, {guarded} with maintenance");
        assert_eq!(guarded, plain + more, "{path}");
    }
    assert_eq!(maintenance.in_flight().count(), 0);
}

#[test]
fn forced_routes_beside_and_inside_of_the_guard_cost_the_others_nothing() {
    let runtime = runtime();
    let (_maintenance, filters) = filters(&runtime);
    let alone = cost_of(&runtime, filters.guard(routes()), "/whole");
    let open = warp::path("hooks").and(filters.force_off(warp::any().map(|| "open")));
    let shut = warp::path("legacy").and(filters.force_on(warp::any().map(|| "old")));
    let among = open.or(filters.guard(shut.or(routes())));
    assert_eq!(cost_of(&runtime, among, "/whole"), alone);
}
