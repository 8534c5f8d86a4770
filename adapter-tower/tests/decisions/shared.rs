//! What all adapters promise alike.

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use maintenance_mode::Maintenance;
use maintenance_mode_conformance::in_process::Ask;
use maintenance_mode_conformance::in_process_suite;
use maintenance_mode_conformance::wire::Response;
use maintenance_mode_tower::MaintenanceLayer;

use super::{ask, site};

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

async fn behind(maintenance: Maintenance) -> Router {
    site(MaintenanceLayer::new(maintenance))
}

in_process_suite!(
    #[tokio::test]
    behind,
    see
);
