//! A real server, clients that leave, and handlers that panic.

use std::time::Duration;

use actix_web::body::BodyStream;
use actix_web::dev::ServerHandle;
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, rt, web};
use futures_util::{StreamExt, stream};
use maintenance_mode::{Config, Maintenance};
use maintenance_mode_actix::MaintenanceMw;
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::in_flight;

use super::maintenance;

/// A server on a free port, with everything that can end badly.
fn serve(maintenance: &Maintenance) -> (std::net::SocketAddr, ServerHandle) {
    let handle = maintenance.clone();
    let server = HttpServer::new(move || {
        App::new()
            .wrap(MaintenanceMw::new(handle.clone()))
            .route("/", web::get().to(async || "hello"))
            .route(
                "/slow",
                web::get().to(async || {
                    rt::time::sleep(Duration::from_secs(30)).await;
                    "slow"
                }),
            )
            .route("/panic", web::get().to(panics))
            .route("/stream", web::get().to(async || endless(None)))
            .route("/breaks", web::get().to(async || endless(Some(3))))
            .route("/ws", web::get().to(echo))
    })
    .workers(1)
    .disable_signals()
    .bind(("127.0.0.1", 0))
    .unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);
    (address, handle)
}

async fn panics() -> &'static str {
    std::panic::resume_unwind(Box::new("a handler that panics"))
}

/// A body without end, or one that fails.
fn endless(breaks_after: Option<usize>) -> HttpResponse {
    let chunks = stream::iter(0..).then(move |number| async move {
        rt::time::sleep(Duration::from_millis(5)).await;
        if breaks_after == Some(number) {
            return Err(actix_web::error::ErrorInternalServerError("broken"));
        }
        Ok::<_, Error>(web::Bytes::from_static(&[b'x'; 1024]))
    });
    HttpResponse::Ok().body(BodyStream::new(chunks))
}

async fn echo(request: HttpRequest, body: web::Payload) -> Result<HttpResponse, Error> {
    let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    rt::spawn(async move {
        while let Some(Ok(actix_ws::Message::Text(text))) = messages.recv().await {
            if session.text(text).await.is_err() {
                return;
            }
        }
    });
    Ok(response)
}

#[actix_web::test]
async fn whatever_ends_a_request_ends_its_count() -> Result<(), Broken> {
    let maintenance = maintenance(Config::new()).await;
    let (address, server) = serve(&maintenance);
    in_flight::whatever_ends_a_request_ends_its_count(address, &maintenance).await?;
    server.stop(false).await;
    Ok(())
}
