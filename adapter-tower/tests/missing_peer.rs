//! A server that does not tell its peers' addresses is told about, once, at the first request.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use maintenance_mode::{Config, Maintenance};
use maintenance_mode_conformance::log::Log;
use maintenance_mode_tower::MaintenanceLayer;
use tower::ServiceExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How often the log speaks of the peer's address after three requests.
async fn warnings(peer: Option<SocketAddr>) -> usize {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.writer());
    let _guard = subscriber.finish().set_default();
    let config = Config::new().backend("memory:");
    let layer = MaintenanceLayer::new(Maintenance::start(config).await.unwrap());
    let site = Router::new().route("/", get(async || "hello")).layer(layer);
    for _ in 0..3 {
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        let response = site.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    log.text().matches("peer's address").count()
}

#[tokio::test]
async fn a_missing_peer_is_logged_once() {
    assert_eq!(warnings(None).await, 1);
    assert_eq!(
        warnings(Some(SocketAddr::from(([192, 0, 2, 7], 4711)))).await,
        0
    );
}
