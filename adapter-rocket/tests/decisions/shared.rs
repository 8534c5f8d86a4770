//! What all adapters promise alike.

use maintenance_mode::Maintenance;
use maintenance_mode_conformance::in_process::Ask;
use maintenance_mode_conformance::in_process_suite;
use maintenance_mode_conformance::wire::Response;
use maintenance_mode_rocket::MaintenanceFairing;
use rocket::http::Header;
use rocket::local::asynchronous::Client;

use super::site;

async fn see(site: &Client, asked: Ask) -> Response {
    let mut request = site.req(asked.method.parse().unwrap(), asked.path);
    for (name, value) in asked.fields {
        request.add_header(Header::new(*name, *value));
    }
    let response = request.dispatch().await;
    let status = response.status().code;
    let fields: Vec<(String, String)> = response
        .headers()
        .iter()
        .map(|field| (field.name.as_str().to_lowercase(), field.value.to_string()))
        .collect();
    let body = response.into_bytes().await.unwrap_or_default();
    let fields = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    Response::new(status, fields, body)
}

async fn behind(maintenance: Maintenance) -> Client {
    site(MaintenanceFairing::new(maintenance)).await
}

in_process_suite!(
    #[tokio::test]
    behind,
    see
);
