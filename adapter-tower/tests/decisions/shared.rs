//! What all adapters promise alike.

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use maintenance_mode::Config;
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::in_process::{self, Ask};
use maintenance_mode_conformance::wire::Response;
use maintenance_mode_tower::MaintenanceLayer;

use super::{ask, closed, maintenance, site};

async fn see(site: &Router, asked: Ask) -> Response {
    let mut request = Request::builder().method(asked.method).uri(asked.path);
    for (name, value) in asked.fields {
        request = request.header(*name, *value);
    }
    let response = ask(site, request.body(Body::empty()).unwrap()).await;
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let fields = head.headers.iter();
    let fields = fields.map(|(name, value)| (name.as_str(), value.as_bytes()));
    Response::new(head.status.as_u16(), fields, body)
}

async fn shut() -> Router {
    site(MaintenanceLayer::new(closed(Config::new()).await))
}

#[tokio::test]
async fn b10_grpc_gets_a_status() -> Result<(), Broken> {
    let site = shut().await;
    in_process::grpc_gets_a_status(async |ask| see(&site, ask).await).await
}

#[tokio::test]
async fn b10_websockets_are_refused() -> Result<(), Broken> {
    let site = shut().await;
    in_process::websockets_are_refused(async |ask| see(&site, ask).await).await
}

#[tokio::test]
async fn b10_event_sources_come_back() -> Result<(), Broken> {
    let site = shut().await;
    in_process::event_sources_come_back(async |ask| see(&site, ask).await).await
}

#[tokio::test]
async fn b10_other_origins_see_the_answer() -> Result<(), Broken> {
    let site = shut().await;
    in_process::other_origins_see_the_answer(async |ask| see(&site, ask).await).await
}

#[tokio::test]
async fn d20_a_block_forces_a_mode() -> Result<(), Broken> {
    let maintenance = maintenance(Config::new()).await;
    let site = site(MaintenanceLayer::new(maintenance.clone()));
    in_process::a_block_forces_a_mode(&maintenance, async |ask| see(&site, ask).await).await
}

#[tokio::test]
async fn d20_a_guard_forces_a_mode() -> Result<(), Broken> {
    let maintenance = maintenance(Config::new()).await;
    let site = site(MaintenanceLayer::new(maintenance.clone()));
    in_process::a_guard_forces_a_mode(&maintenance, async |ask| see(&site, ask).await).await
}
