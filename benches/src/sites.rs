//! The same small actix site three times: plain, closed by hand, closed by this project.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpResponse, web};
use maintenance_mode::{Config, Maintenance, Mode};
use maintenance_mode_actix::MaintenanceMw;

use crate::Trouble;

async fn hello() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("Hello, world!")
}

/// The site as it is.
pub fn plain() -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new().route("/", web::get().to(hello))
}

/// The site with the switch that people write by hand: a flag and a fixed body.
pub fn ten_liner(
    closed: Arc<AtomicBool>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    plain().wrap(from_fn(
        move |request: ServiceRequest, next: Next<BoxBody>| {
            let closed = Arc::clone(&closed);
            async move {
                if closed.load(Ordering::Relaxed) {
                    let response = HttpResponse::ServiceUnavailable()
                        .insert_header(("retry-after", "120"))
                        .content_type("text/plain; charset=utf-8")
                        .body("Back soon.");
                    return Ok(request.into_response(response));
                }
                next.call(request).await
            }
        },
    ))
}

/// The site with this project's middleware.
#[must_use]
pub fn ours(
    maintenance: Maintenance,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    plain().wrap(MaintenanceMw::new(maintenance))
}

/// The live switch on this backend, pinned to offline if `closed`.
///
/// # Errors
///
/// The backend cannot be used.
pub async fn switch(backend: &str, closed: bool) -> Result<Maintenance, Trouble> {
    let mut config = Config::new().backend(backend);
    config.mode = closed.then_some(Mode::Offline);
    Ok(Maintenance::start(config).await?)
}
