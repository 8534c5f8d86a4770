//! What the layer does with a request, in process.
#![allow(clippy::unwrap_used)]

mod answers;
mod overrides;
mod shared;
mod status;
mod visitors;

use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::routing::any;
use http::{Request, Response};
use http_body_util::BodyExt;
pub(crate) use maintenance_mode_conformance::in_memory::{close, closed, maintenance, open};
use maintenance_mode_tower::{MaintenanceLayer, Routes};
use tower::ServiceExt;

/// A small application around which the layer is put.
pub(crate) fn site(layer: MaintenanceLayer) -> Router {
    let reached = || any(async || "handler reached");
    Router::new()
        .route("/", reached())
        .route("/open", reached())
        .route("/shut", reached())
        .route("/control", reached())
        .route("/users/{id}", reached())
        .layer(layer)
}

/// No route is known yet.
pub(crate) fn routes() -> Routes {
    Routes::by(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))
}

pub(crate) fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub(crate) async fn ask(site: &Router, request: Request<Body>) -> Response<Body> {
    site.clone().oneshot(request).await.unwrap()
}

pub(crate) async fn status(site: &Router, path: &str) -> u16 {
    ask(site, request(path)).await.status().as_u16()
}

pub(crate) async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}
