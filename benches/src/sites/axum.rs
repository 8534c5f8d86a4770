//! axum, with the switch around the whole router or as a layer of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use maintenance_mode_tower::MaintenanceLayer;
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower::make::Shared;
use tower_layer::Layer;

use super::counted::CountedLayer;
use super::{BACK_SOON, Framework, HELLO, Kind, PLAIN_TEXT, Switch, Variant, input_ended, runtime};
use crate::Trouble;
use crate::scenarios::Runner;

/// The switch before routing. By hand, it is a layer around the router, too.
pub(super) const OUTERMOST: Framework = Framework {
    name: "axum-outermost",
    prepare: prepare_outermost,
    serve: serve_outermost,
};

/// The switch by `Router::layer`, as most people add it.
pub(super) const ROUTER_LAYER: Framework = Framework {
    name: "axum-router-layer",
    prepare: prepare_router_layer,
    serve: serve_router_layer,
};

fn plain() -> Router {
    Router::new().route("/", get(async || HELLO))
}

async fn by_hand(closed: Arc<AtomicBool>, request: Request, next: Next) -> Response {
    if closed.load(Ordering::Relaxed) {
        let fields = [(RETRY_AFTER, "120"), (CONTENT_TYPE, PLAIN_TEXT)];
        return (StatusCode::SERVICE_UNAVAILABLE, fields, BACK_SOON).into_response();
    }
    next.run(request).await
}

fn ten_liner(closed: bool) -> impl FnOnce(Router) -> Router {
    let closed = Arc::new(AtomicBool::new(closed));
    move |router| {
        router.layer(from_fn(move |request, next| {
            by_hand(Arc::clone(&closed), request, next)
        }))
    }
}

fn prepare_outermost(variant: Variant) -> Result<Runner, Trouble> {
    if !matches!(variant.kind, Kind::Ours | Kind::Counted) {
        return prepare_router_layer(variant);
    }
    let runtime = runtime()?;
    let switch = runtime.block_on(Switch::in_memory(variant.closed))?;
    if variant.kind == Kind::Counted {
        let site = CountedLayer::default().layer(plain().with_state(()));
        return Ok(super::tower::requests(
            runtime,
            site,
            variant.status(),
            Body::empty,
            switch,
        ));
    }
    let site = MaintenanceLayer::new(switch.maintenance.clone()).layer(plain().with_state(()));
    Ok(super::tower::requests(
        runtime,
        site,
        variant.status(),
        Body::empty,
        switch,
    ))
}

fn prepare_router_layer(variant: Variant) -> Result<Runner, Trouble> {
    let runtime = runtime()?;
    let switch = runtime.block_on(Switch::in_memory(variant.closed))?;
    let site = router(variant, &switch).with_state(());
    Ok(super::tower::requests(
        runtime,
        site,
        variant.status(),
        Body::empty,
        switch,
    ))
}

fn router(variant: Variant, switch: &Switch) -> Router {
    match variant.kind {
        Kind::Plain => plain(),
        Kind::Counted => plain().layer(CountedLayer::default()),
        Kind::TenLiner => ten_liner(variant.closed)(plain()),
        Kind::Ours => plain().layer(MaintenanceLayer::new(switch.maintenance.clone())),
    }
}

fn serve_outermost(variant: Variant) -> Result<(), Trouble> {
    if variant.kind != Kind::Ours {
        return serve_router_layer(variant);
    }
    runtime()?.block_on(async {
        let switch = Switch::on_file(variant.closed).await?;
        // `axum::serve` takes only axum's own bodies.
        let site = ServiceBuilder::new()
            .map_response(|response: http::Response<_>| response.map(Body::new))
            .layer(MaintenanceLayer::new(switch.maintenance.clone()))
            .service(plain().with_state(()));
        let site = Shared::new(site);
        serve(async |listener| axum::serve(listener, site).await).await
    })
}

fn serve_router_layer(variant: Variant) -> Result<(), Trouble> {
    runtime()?.block_on(async {
        let switch = Switch::on_file(variant.closed).await?;
        let site = router(variant, &switch);
        serve(async |listener| axum::serve(listener, site).await).await
    })
}

async fn serve(
    server: impl AsyncFnOnce(TcpListener) -> Result<(), std::io::Error>,
) -> Result<(), Trouble> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening {}", listener.local_addr()?);
    tokio::select! {
        ended = server(listener) => Ok(ended?),
        () = input_ended() => Ok(()),
    }
}
