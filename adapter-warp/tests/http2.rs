//! What HTTP/2 makes of an answer to a request whose body nobody reads.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use maintenance_mode::{Config, Maintenance, Mode};
use maintenance_mode_warp::{Drain, MaintenanceFilters};
use tokio::net::{TcpListener, TcpStream};
use warp::Filter;
use warp::http::{Request, header};

/// RFC 9113, section 8.2.2: a field `Connection` makes the message malformed.
#[tokio::test]
async fn an_early_answer_says_nothing_of_the_connection_and_leaves_it_open() {
    let config = Config::new().backend("memory:").mode(Mode::Offline);
    let maintenance = Maintenance::start(config).await.unwrap();
    for drain in [None, Some(Drain::default())] {
        let filters = MaintenanceFilters::new(maintenance.clone()).drain(drain);
        let site = filters.guard(warp::any().map(|| "hello"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap());
        tokio::spawn(warp::serve(site).incoming(listener).run());
        let stream = TokioIo::new(stream.await.unwrap());
        let handshake = http2::handshake(TokioExecutor::new(), stream).await;
        let (mut client, connection) = handshake.unwrap();
        tokio::spawn(connection);
        for bytes in [0, 5, 1 << 20] {
            let request = Request::post("http://shop.example/upload");
            let request = request
                .body(Full::<Bytes>::from(vec![b'x'; bytes]))
                .unwrap();
            let response = client.send_request(request).await.unwrap();
            assert_eq!(response.status(), 503, "{bytes} bytes, {drain:?}");
            let fields = response.headers();
            assert!(!fields.contains_key(header::CONNECTION));
            let promised = fields.get(header::CONTENT_LENGTH).cloned().unwrap();
            let body: Bytes = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(promised.to_str().unwrap(), body.len().to_string());
        }
    }
}
