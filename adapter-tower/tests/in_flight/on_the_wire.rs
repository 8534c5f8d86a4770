//! A real axum server, clients that leave, and handlers that panic.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::get;
use futures_util::{StreamExt, stream};
use maintenance_mode::{Config, Maintenance};
use maintenance_mode_tower::MaintenanceLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::maintenance;

/// A server on a free port, with everything that can end badly.
async fn serve(maintenance: &Maintenance) -> SocketAddr {
    let app = Router::new()
        .route("/", get(async || "hello"))
        .route(
            "/slow",
            get(async || {
                tokio::time::sleep(Duration::from_secs(30)).await;
                "slow"
            }),
        )
        .route("/panic", get(panics))
        .route("/stream", get(async || endless(None)))
        .route("/breaks", get(async || endless(Some(3))))
        .route("/ws", get(socket))
        .with_state(maintenance.clone())
        .layer(MaintenanceLayer::new(maintenance.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

async fn panics() -> Result<&'static str, Infallible> {
    std::panic::resume_unwind(Box::new("a handler that panics"))
}

/// A body without end, or one that fails.
fn endless(breaks_after: Option<usize>) -> Body {
    Body::from_stream(stream::iter(0..).then(move |number| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if breaks_after == Some(number) {
            return Err(io::Error::other("broken"));
        }
        Ok(Bytes::from_static(&[b'x'; 1024]))
    }))
}

/// The handler counts its connection itself, as the crate's page says.
async fn socket(State(maintenance): State<Maintenance>, upgrade: WebSocketUpgrade) -> Response {
    let counted = maintenance.in_flight().enter().upgrade();
    upgrade.on_upgrade(async move |mut socket| {
        while let Some(Ok(_)) = socket.recv().await {}
        drop(counted);
    })
}

async fn send(address: SocketAddr, path: &str, fields: &str) -> TcpStream {
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
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!(
        "waited for {requests} and {upgraded}, there are {} and {}",
        in_flight.count(),
        in_flight.upgraded()
    );
}

#[tokio::test]
async fn whatever_ends_a_request_ends_its_count() {
    let maintenance = maintenance(Config::new()).await;
    let address = serve(&maintenance).await;

    let mut stream = send(address, "/", "Connection: close\r\n").await;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("hello"), "{text}");
    wait_for(&maintenance, 0, 0).await;

    // The client goes away while the handler runs.
    let stream = send(address, "/slow", "").await;
    wait_for(&maintenance, 1, 0).await;
    stream.set_zero_linger().unwrap();
    drop(stream);
    wait_for(&maintenance, 0, 0).await;

    // The handler panics. The connection ends, the server goes on.
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

    // An upgraded connection counts apart, as long as its handler says.
    let fields = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut stream = send(address, "/ws", fields).await;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    wait_for(&maintenance, 0, 1).await;
    drop(stream);
    wait_for(&maintenance, 0, 0).await;
}
