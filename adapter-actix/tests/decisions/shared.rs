//! What all adapters promise alike.

use actix_http::Request;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{self, TestRequest};
use maintenance_mode::Config;
use maintenance_mode_actix::MaintenanceMw;
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::in_process::{self, Ask};
use maintenance_mode_conformance::wire::Response;

use super::{closed, maintenance, site};

async fn see<B: MessageBody>(
    site: &impl Service<Request, Response = ServiceResponse<B>, Error = Error>,
    asked: Ask,
) -> Response {
    let mut request = TestRequest::with_uri(asked.path).method(asked.method.parse().unwrap());
    for field in asked.fields {
        request = request.insert_header(*field);
    }
    let response = test::call_service(site, request.to_request()).await;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = test::read_body(response).await;
    let fields = headers.iter();
    let fields = fields.map(|(name, value)| (name.as_str(), value.as_bytes()));
    Response::new(status, fields, body)
}

async fn shut() -> impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = Error>
{
    site(MaintenanceMw::new(closed(Config::new()).await)).await
}

#[actix_web::test]
async fn b10_grpc_gets_a_status() -> Result<(), Broken> {
    let site = shut().await;
    in_process::grpc_gets_a_status(async |ask| see(&site, ask).await).await
}

#[actix_web::test]
async fn b10_websockets_are_refused() -> Result<(), Broken> {
    let site = shut().await;
    in_process::websockets_are_refused(async |ask| see(&site, ask).await).await
}

#[actix_web::test]
async fn b10_event_sources_come_back() -> Result<(), Broken> {
    let site = shut().await;
    in_process::event_sources_come_back(async |ask| see(&site, ask).await).await
}

#[actix_web::test]
async fn b10_other_origins_see_the_answer() -> Result<(), Broken> {
    let site = shut().await;
    in_process::other_origins_see_the_answer(async |ask| see(&site, ask).await).await
}

#[actix_web::test]
async fn d20_a_block_forces_a_mode() -> Result<(), Broken> {
    let maintenance = maintenance(Config::new()).await;
    let site = site(MaintenanceMw::new(maintenance.clone())).await;
    in_process::a_block_forces_a_mode(&maintenance, async |ask| see(&site, ask).await).await
}

#[actix_web::test]
async fn d20_a_guard_forces_a_mode() -> Result<(), Broken> {
    let maintenance = maintenance(Config::new()).await;
    let site = site(MaintenanceMw::new(maintenance.clone())).await;
    in_process::a_guard_forces_a_mode(&maintenance, async |ask| see(&site, ask).await).await
}
