//! A real poem server, clients that leave, and handlers that panic.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use maintenance_mode::{Config, Maintenance};
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::in_flight;
use maintenance_mode_poem::MaintenanceMiddleware;
use poem::listener::TcpAcceptor;
use poem::web::Data;
use poem::web::websocket::WebSocket;
use poem::{Body, EndpointExt, IntoResponse, Route, Server, get, handler};
use tokio::net::TcpListener;

use super::maintenance;

/// A server on a free port, with everything that can end badly.
async fn serve(maintenance: &Maintenance) -> SocketAddr {
    let app = Route::new()
        .at("/", get(hello))
        .at("/slow", get(slow))
        .at("/panic", get(panics))
        .at("/stream", get(streams))
        .at("/breaks", get(breaks))
        .at("/ws", get(socket))
        .data(maintenance.clone())
        .with(MaintenanceMiddleware::new(maintenance.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(app));
    address
}

#[handler]
fn hello() -> &'static str {
    "hello"
}

#[handler]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(30)).await;
    "slow"
}

#[handler]
fn panics() -> &'static str {
    std::panic::resume_unwind(Box::new("a handler that panics"))
}

#[handler]
fn streams() -> Body {
    endless(None)
}

#[handler]
fn breaks() -> Body {
    endless(Some(3))
}

/// A body without end, or one that fails.
fn endless(breaks_after: Option<usize>) -> Body {
    Body::from_bytes_stream(stream::iter(0..).then(move |number| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if breaks_after == Some(number) {
            return Err(io::Error::other("broken"));
        }
        Ok(&[b'x'; 1024][..])
    }))
}

/// The handler counts its connection itself, as the crate's page says.
#[handler]
async fn socket(maintenance: Data<&Maintenance>, socket: WebSocket) -> impl IntoResponse {
    let counted = maintenance.in_flight().enter().upgrade();
    socket.on_upgrade(async move |mut socket| {
        while let Some(Ok(_)) = socket.next().await {}
        drop(counted);
    })
}

#[tokio::test]
async fn whatever_ends_a_request_ends_its_count() -> Result<(), Broken> {
    let maintenance = maintenance(Config::new()).await;
    let address = serve(&maintenance).await;
    in_flight::whatever_ends_a_request_ends_its_count(address, &maintenance).await
}
