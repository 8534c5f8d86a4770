//! What the middleware does with a request, in process.
#![allow(
    clippy::future_not_send,
    reason = "actix keeps a connection on one thread"
)]
#![allow(clippy::unwrap_used)]

mod answers;
mod overrides;
mod shared;
mod status;
mod visitors;

use actix_http::Request;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{self, TestRequest};
use actix_web::{App, Error, HttpResponse, web};
use maintenance_mode_actix::MaintenanceMw;
pub(crate) use maintenance_mode_conformance::in_memory::{close, closed, maintenance, open};

/// A small application around which the middleware is put.
pub(crate) async fn site(
    middleware: MaintenanceMw,
) -> impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = Error> {
    test::init_service(
        App::new()
            .wrap(middleware)
            .service(named("open", "/open"))
            .service(named("shut", "/shut"))
            .service(named("control", "/control"))
            .service(named("user", "/users/{id}"))
            .route("/", web::to(async || "hello")),
    )
    .await
}

fn named(name: &str, path: &str) -> actix_web::Resource {
    web::resource(path)
        .name(name)
        .route(web::to(async || HttpResponse::Ok().body("handler reached")))
}

/// The status and the body.
pub(crate) async fn get<S, B>(site: &S, path: &str) -> (u16, String)
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let response = test::call_service(site, TestRequest::with_uri(path).to_request()).await;
    let status = response.status().as_u16();
    let body = test::read_body(response).await;
    (status, String::from_utf8_lossy(&body).into_owned())
}
