//! A real server, clients that leave, and handlers that panic.

use std::time::Duration;

use actix_web::body::BodyStream;
use actix_web::dev::ServerHandle;
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, rt, web};
use futures_util::{StreamExt, stream};
use maintenance_mode::{Config, Maintenance};
use maintenance_mode_actix::MaintenanceMw;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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

async fn send(address: std::net::SocketAddr, path: &str, fields: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Waits until the counts are these.
async fn wait_for(maintenance: &Maintenance, requests: u64, upgraded: u64) {
    let in_flight = maintenance.in_flight();
    for _ in 0..1000 {
        if (in_flight.count(), in_flight.upgraded()) == (requests, upgraded) {
            return;
        }
        rt::time::sleep(Duration::from_millis(5)).await;
    }
    panic!(
        "waited for {requests} and {upgraded}, there are {} and {}",
        in_flight.count(),
        in_flight.upgraded()
    );
}

#[actix_web::test]
async fn whatever_ends_a_request_ends_its_count() {
    let maintenance = maintenance(Config::new()).await;
    let (address, server) = serve(&maintenance);

    let mut stream = send(address, "/", "Connection: close\r\n").await;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("hello"), "{text}");
    wait_for(&maintenance, 0, 0).await;

    // The client aborts while the handler runs. (One that closes in an orderly way might still read, so
    // actix lets the handler finish, and the count goes on.)
    let stream = send(address, "/slow", "").await;
    wait_for(&maintenance, 1, 0).await;
    stream.set_zero_linger().unwrap();
    drop(stream);
    wait_for(&maintenance, 0, 0).await;

    // The handler panics. The connection ends, its worker goes on.
    let mut stream = send(address, "/panic", "").await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
    wait_for(&maintenance, 0, 0).await;

    // The client goes away in the middle of a body.
    let mut stream = send(address, "/stream", "").await;
    stream.read_exact(&mut [0; 4096]).await.unwrap();
    wait_for(&maintenance, 1, 0).await;
    drop(stream);
    wait_for(&maintenance, 0, 0).await;

    // The body fails.
    let mut stream = send(address, "/breaks", "").await;
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    wait_for(&maintenance, 0, 0).await;

    // An upgraded connection counts apart, as long as it is open.
    let fields = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut stream = send(address, "/ws", fields).await;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    wait_for(&maintenance, 0, 1).await;
    drop(stream);
    wait_for(&maintenance, 0, 0).await;

    server.stop(false).await;
}
