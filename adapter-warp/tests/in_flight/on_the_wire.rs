//! A real warp server, clients that leave, and handlers that panic.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use maintenance_mode::{Config, Maintenance};
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::in_flight;
use maintenance_mode_warp::MaintenanceFilters;
use tokio::net::TcpListener;
use warp::ws::Ws;
use warp::{Filter, Reply, reply};

use super::maintenance;

/// A server on a free port, with everything that can end badly.
async fn serve(maintenance: &Maintenance) -> SocketAddr {
    let front = warp::path::end().map(|| "hello");
    let slow = warp::path!("slow").then(async || {
        tokio::time::sleep(Duration::from_secs(30)).await;
        "slow"
    });
    let panics = warp::path!("panic").map(panics);
    let endless_body = warp::path!("stream").map(|| endless(None));
    let breaks = warp::path!("breaks").map(|| endless(Some(3)));
    let handle = maintenance.clone();
    let ws = warp::path!("ws")
        .and(warp::ws())
        .map(move |upgrade| socket(&handle, upgrade));
    let routes = front.or(slow).or(panics).or(endless_body).or(breaks).or(ws);
    let site = MaintenanceFilters::new(maintenance.clone()).guard(routes);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(warp::serve(site).incoming(listener).run());
    address
}

fn panics() -> &'static str {
    std::panic::resume_unwind(Box::new("a handler that panics"))
}

/// A body without end, or one that fails.
fn endless(breaks_after: Option<usize>) -> impl Reply {
    reply::stream(stream::iter(0..).then(move |number| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if breaks_after == Some(number) {
            return Err(io::Error::other("broken"));
        }
        Ok(Bytes::from_static(&[b'x'; 1024]))
    }))
}

/// The handler counts its connection itself, as the crate's page says.
fn socket(maintenance: &Maintenance, upgrade: Ws) -> impl Reply + use<> {
    let counted = maintenance.in_flight().enter().upgrade();
    upgrade.on_upgrade(async move |mut socket| {
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
