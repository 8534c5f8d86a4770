//! What all adapters promise alike.

use maintenance_mode::Config;
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::in_process::{self, Ask};
use maintenance_mode_conformance::wire::Response;
use maintenance_mode_rocket::MaintenanceFairing;
use rocket::http::Header;
use rocket::local::asynchronous::Client;

use super::{closed, maintenance, site};

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

async fn shut() -> Client {
    site(MaintenanceFairing::new(closed(Config::new()).await)).await
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
    let site = site(MaintenanceFairing::new(maintenance.clone())).await;
    in_process::a_block_forces_a_mode(&maintenance, async |ask| see(&site, ask).await).await
}

#[tokio::test]
async fn d20_a_guard_forces_a_mode() -> Result<(), Broken> {
    let maintenance = maintenance(Config::new()).await;
    let site = site(MaintenanceFairing::new(maintenance.clone())).await;
    in_process::a_guard_forces_a_mode(&maintenance, async |ask| see(&site, ask).await).await
}
