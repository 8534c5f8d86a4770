//! The layer around a whole axum router, before routing, on a real server.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::routing::get;
use axum::{Router, ServiceExt};
use http::Response;
use maintenance_mode::{Config, Mode};
use maintenance_mode_conformance::in_memory::{close, maintenance, open};
use maintenance_mode_tower::{MaintenanceBody, MaintenanceLayer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceBuilder;

async fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn it_closes_every_path_before_routing_and_knows_the_peer() {
    let config = || Config::new().allow_path("/open");
    let strangers = maintenance(config()).await;
    let neighbours = maintenance(config().allow_address("127.0.0.1")).await;
    let mut addresses = Vec::new();
    for handle in [&strangers, &neighbours] {
        let router = Router::new()
            .route("/", get(async || "hello"))
            .route("/open", get(async || "hello"));
        let layer = MaintenanceLayer::new(handle.clone())
            .peer_from(|info: &ConnectInfo<SocketAddr>| info.ip());
        let app = ServiceBuilder::new()
            .map_response(|response: Response<MaintenanceBody<Body>>| response.map(Body::new))
            .layer(layer)
            .service(router);
        let app = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(app);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, app).into_future());
        close(handle, Mode::Offline).await;
    }
    for path in ["/", "/nowhere"] {
        let closed = ask(addresses[0], path).await;
        assert!(closed.starts_with("HTTP/1.1 503 ") && closed.contains("x-maintenance: 1"));
    }
    assert!(ask(addresses[0], "/open").await.ends_with("hello"));
    assert!(ask(addresses[1], "/").await.ends_with("hello"));
    open(&strangers).await;
    assert!(ask(addresses[0], "/").await.ends_with("hello"));
    assert!(
        ask(addresses[0], "/nowhere")
            .await
            .starts_with("HTTP/1.1 404 ")
    );
    assert_eq!(strangers.in_flight().count(), 0);
}
