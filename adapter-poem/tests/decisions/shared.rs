//! What all adapters promise alike.

use maintenance_mode::Maintenance;
use maintenance_mode_conformance::in_process::Ask;
use maintenance_mode_conformance::in_process_suite;
use maintenance_mode_conformance::wire::Response;
use maintenance_mode_poem::MaintenanceMiddleware;
use poem::endpoint::BoxEndpoint;
use poem::http::Request;

use super::{ask, request, site};

async fn see(site: &BoxEndpoint<'static>, asked: Ask) -> Response {
    let mut builder = Request::builder().method(asked.method).uri(asked.path);
    for (name, value) in asked.fields {
        builder = builder.header(*name, *value);
    }
    let response = ask(site, request(builder)).await;
    let status = response.status().as_u16();
    let fields = response.headers().clone();
    let body = response.into_body().into_bytes().await.unwrap();
    let fields = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    Response::new(status, fields, body)
}

async fn behind(maintenance: Maintenance) -> BoxEndpoint<'static> {
    site(MaintenanceMiddleware::new(maintenance))
}

in_process_suite!(
    #[tokio::test]
    behind,
    see
);
