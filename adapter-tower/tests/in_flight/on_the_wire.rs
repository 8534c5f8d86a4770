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
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::in_flight;
use maintenance_mode_tower::MaintenanceLayer;
use tokio::net::TcpListener;

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

#[tokio::test]
async fn whatever_ends_a_request_ends_its_count() -> Result<(), Broken> {
    let maintenance = maintenance(Config::new()).await;
    let address = serve(&maintenance).await;
    in_flight::whatever_ends_a_request_ends_its_count(address, &maintenance).await
}
