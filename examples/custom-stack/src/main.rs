//! A bare hyper server that asks the engine itself: what an adapter does, for a stack that has none.
//!
//! Count, decide, go on or answer. The rest of this file is what any hyper server has.

mod body;

use std::convert::Infallible;
use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use clap::Parser;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use maintenance_mode::http::{Announced, Drain, facts, response, settle};
use maintenance_mode::{Config, Decision, Maintenance, Peer, Timestamp};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use body::Body;

/// A bare hyper server that can be closed.
#[derive(Parser)]
struct Options {
    /// The address to listen on; port 0 for a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// The configuration; without it, the built-in one with the state in the working folder.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Answers for the site, or lets the application answer.
async fn serve(
    maintenance: Maintenance,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<Body> {
    // Count first: whoever closes the site and then waits until nothing is in flight must not miss a
    // request that has read the old state and is not counted yet.
    let guard = maintenance.in_flight().enter();
    // While every site is online this is one atomic load, and no facts are needed.
    if maintenance.is_quiet() {
        return application(&request).map(|text| Body::counted(text, guard));
    }
    let (head, incoming) = request.into_parts();
    let facts = facts(&head.method, &head.uri, &head.headers)
        // Only what the socket says. The engine knows which proxies may speak for others.
        .peer(Peer::Addr(peer.ip()));
    let snapshot = maintenance.snapshot();
    match snapshot.decide(&facts, Timestamp::from(SystemTime::now())) {
        Decision::Allow(_) => {
            let request = Request::from_parts(head, incoming);
            application(&request).map(|text| Body::counted(text, guard))
        }
        Decision::Block(block) => {
            // Dropping `guard` at the end takes the request out of the count: it was never admitted.
            let mut response = response(&block, &facts);
            let announced = Announced::of(head.version, &head.headers);
            settle(
                Some(Drain::default()),
                announced,
                incoming,
                response.headers_mut(),
            );
            response.map(Body::plain)
        }
        // A decision that this program does not know yet lets nobody in.
        _ => {
            let mut response = Response::new(Body::plain(Bytes::new()));
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        }
    }
}

/// The application.
fn application(request: &Request<Incoming>) -> Response<Bytes> {
    match request.uri().path() {
        "/" => Response::new(Bytes::from_static(b"Hello from a stack of your own.\n")),
        "/healthz" => Response::new(Bytes::from_static(b"ok\n")),
        _ => {
            let mut response = Response::new(Bytes::from_static(b"There is no such page.\n"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let maintenance = match &options.config {
        Some(file) => Maintenance::from_file(file).await?,
        None => Maintenance::start(Config::load(None, std::env::vars())?.config).await?,
    };
    let listener = TcpListener::bind(options.listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    std::io::stdout().flush()?;

    let server = auto::Builder::new(TokioExecutor::new());
    let running = GracefulShutdown::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Out of file descriptors, or a client that is gone already: the next one may fare better.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        };
        let maintenance = maintenance.clone();
        let service = service_fn(move |request| {
            let maintenance = maintenance.clone();
            async move { Ok::<_, Infallible>(serve(maintenance, peer, request).await) }
        });
        let connection = server
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        // A connection that ends badly concerns its client alone.
        tokio::spawn(running.watch(connection));
    }
    let _ = tokio::time::timeout(Duration::from_secs(10), running.shutdown()).await;
    Ok(())
}
