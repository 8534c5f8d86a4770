//! The layer around a plain hyper service, over HTTP/1 and HTTP/2.
#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use maintenance_mode::{Config, Maintenance, Mode};
use maintenance_mode_tower::MaintenanceLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, ServiceExt, service_fn};

async fn application(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("hello")))
}

/// A server that tells the layer each connection's address.
async fn serve(layer: MaintenanceLayer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let site = layer.layer(service_fn(application));
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            let site = site
                .clone()
                .map_request(move |mut request: Request<Incoming>| {
                    request.extensions_mut().insert(peer);
                    request
                });
            let service = TowerToHyperService::new(site);
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let connection = server.serve_connection(TokioIo::new(stream), service);
                // A connection that ends badly concerns its client alone.
                let _ = connection.await;
            });
        }
    });
    address
}

async fn closed(config: Config) -> Maintenance {
    let config = config.backend("memory:").mode(Mode::Offline);
    Maintenance::start(config).await.unwrap()
}

/// Sends this and reads until the server ends the connection.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_closed_site_answers_and_an_exempt_address_comes_in() {
    let ask = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let shut = serve(MaintenanceLayer::new(closed(Config::new()).await)).await;
    let text = exchange(shut, ask).await;
    assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    let config = Config::new().allow_address("127.0.0.1");
    let open = serve(MaintenanceLayer::new(closed(config).await)).await;
    let text = exchange(open, ask).await;
    assert!(text.ends_with("hello"), "{text}");
}

#[tokio::test]
async fn a_late_body_is_drained_or_the_end_is_announced() {
    const LATE: &str = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n";
    let maintenance = closed(Config::new()).await;

    let address = serve(MaintenanceLayer::new(maintenance.clone())).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = [0; 8192];
    for round in 0..2 {
        stream.write_all(LATE.as_bytes()).await.unwrap();
        let length = stream.read(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer[..length]);
        assert!(text.starts_with("HTTP/1.1 503 "), "round {round}: {text}");
        assert!(!text.contains("connection: close"), "{text}");
        stream.write_all(b"hello").await.unwrap();
    }

    let address = serve(MaintenanceLayer::new(maintenance).drain(None)).await;
    let text = exchange(address, LATE).await;
    assert!(text.contains("connection: close"), "{text}");
}

#[tokio::test]
async fn over_http_2_grpc_gets_trailers_only_and_uploads_no_connection_field() {
    let address = serve(MaintenanceLayer::new(closed(Config::new()).await)).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);

    let call = Request::post("http://localhost/shop.Cart/Add")
        .header(header::CONTENT_TYPE, "application/grpc")
        .body(Full::new(Bytes::from_static(b"\0\0\0\0\0")))
        .unwrap();
    let response = client.send_request(call).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers().get("grpc-status").unwrap(), "14");
    let body = response.into_body();
    assert!(hyper::body::Body::is_end_stream(&body), "headers alone");

    let upload = Request::post("http://localhost/upload")
        .body(Full::new(Bytes::from(vec![b'x'; 1 << 20])))
        .unwrap();
    let response = client.send_request(upload).await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(!response.headers().contains_key(header::CONNECTION));
    let page = response.into_body().collect().await.unwrap().to_bytes();
    assert!(!page.is_empty());
}
