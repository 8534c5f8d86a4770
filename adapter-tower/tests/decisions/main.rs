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
use maintenance_mode::{Config, Maintenance, Mode, Off, On, SiteName};
use maintenance_mode_tower::{MaintenanceLayer, Routes};
use tower::ServiceExt;

/// A handle with its own memory.
pub(crate) async fn maintenance(config: Config) -> Maintenance {
    Maintenance::start(config.backend("memory:")).await.unwrap()
}

/// A handle that is pinned offline.
pub(crate) async fn closed(config: Config) -> Maintenance {
    maintenance(config.mode(Mode::Offline)).await
}

pub(crate) async fn close(maintenance: &Maintenance, mode: Mode) {
    let order = On::mode(mode);
    maintenance
        .on(&[SiteName::default()], &order)
        .await
        .unwrap();
}

pub(crate) async fn open(maintenance: &Maintenance) {
    let order = Off::default();
    maintenance
        .off(&[SiteName::default()], &order)
        .await
        .unwrap();
}

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
