//! What all adapters promise alike.

use actix_http::Request;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{self, TestRequest};
use maintenance_mode::Maintenance;
use maintenance_mode_actix::MaintenanceMw;
use maintenance_mode_conformance::in_process::Ask;
use maintenance_mode_conformance::in_process_suite;
use maintenance_mode_conformance::wire::Response;

use super::site;

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

async fn behind(
    maintenance: Maintenance,
) -> impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = Error> {
    site(MaintenanceMw::new(maintenance)).await
}

in_process_suite!(
    #[actix_web::test]
    behind,
    see
);
