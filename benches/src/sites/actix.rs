//! actix-web, with the switch around the whole application.

use std::future::poll_fn;
use std::io::Read as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::rt::{System, SystemRunner};
use actix_web::{App, Error, HttpResponse, HttpServer, test, web};
use maintenance_mode::Maintenance;
use maintenance_mode_actix::MaintenanceMw;

use super::{BACK_SOON, Framework, HELLO, Kind, PLAIN_TEXT, Switch, Variant};
use crate::Trouble;
use crate::scenarios::Runner;

pub(super) const FRAMEWORK: Framework = Framework {
    name: "actix",
    prepare,
    serve,
};

async fn hello() -> HttpResponse {
    HttpResponse::Ok().content_type(PLAIN_TEXT).body(HELLO)
}

/// The site as it is.
fn plain() -> App<
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
fn ten_liner(
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
                        .content_type(PLAIN_TEXT)
                        .body(BACK_SOON);
                    return Ok(request.into_response(response));
                }
                next.call(request).await
            }
        },
    ))
}

/// The site with this project's middleware.
fn ours(
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

fn prepare(variant: Variant) -> Result<Runner, Trouble> {
    let system = System::new();
    let status = variant.status();
    match variant.kind {
        Kind::Counted => Err("counting alone is measured with tower's stacks".into()),
        Kind::Plain => {
            let service = system.block_on(test::init_service(plain()));
            Ok(requests(system, service, status, ()))
        }
        Kind::TenLiner => {
            let flag = Arc::new(AtomicBool::new(variant.closed));
            let service = system.block_on(test::init_service(ten_liner(flag)));
            Ok(requests(system, service, status, ()))
        }
        Kind::Ours => {
            let switch = system.block_on(Switch::in_memory(variant.closed))?;
            let site = ours(switch.maintenance.clone());
            let service = system.block_on(test::init_service(site));
            Ok(requests(system, service, status, switch))
        }
    }
}

fn requests<S, B>(
    system: SystemRunner,
    service: S,
    status: u16,
    keep: impl Sized + 'static,
) -> Runner
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    Box::new(move |count| {
        let _kept = &keep;
        system.block_on(async {
            for _ in 0..count {
                let request = test::TestRequest::get()
                    .uri("/")
                    .insert_header(("host", "www.example.com"))
                    .insert_header(("accept", "*/*"));
                let response = test::call_service(&service, request.to_request()).await;
                assert_eq!(response.status().as_u16(), status);
                let mut body = pin!(response.into_body());
                while poll_fn(|cx| body.as_mut().poll_next(cx)).await.is_some() {}
            }
        });
    })
}

fn serve(variant: Variant) -> Result<(), Trouble> {
    System::new().block_on(async move {
        match variant.kind {
            Kind::Counted => Err("counting alone is measured with tower's stacks".into()),
            Kind::Plain => serve_app(plain).await,
            Kind::TenLiner => {
                let flag = Arc::new(AtomicBool::new(variant.closed));
                serve_app(move || ten_liner(Arc::clone(&flag))).await
            }
            Kind::Ours => {
                let switch = Switch::on_file(variant.closed).await?;
                let maintenance = switch.maintenance.clone();
                serve_app(move || ours(maintenance.clone())).await
            }
        }
    })
}

async fn serve_app<F, S, B>(site: F) -> Result<(), Trouble>
where
    F: Fn() -> App<S> + Clone + Send + 'static,
    S: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let server = HttpServer::new(site)
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .bind("127.0.0.1:0")?;
    let address = *server.addrs().first().ok_or("no address was bound")?;
    let server = server.run();
    let handle = server.handle();
    println!("listening {address}");
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        // The stop begins with the call; the future only waits for its end.
        drop(handle.stop(false));
    });
    Ok(server.await?)
}
