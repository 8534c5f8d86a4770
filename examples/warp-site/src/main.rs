//! A small real site on warp that can be closed.

mod app;
mod routes;

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use maintenance_mode_example_shop::{Options, log_to_stderr};
use maintenance_mode_warp::log;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Rejection, Reply, reply};

use app::App;

/// How many connections wait to be accepted.
const BACKLOG: u32 = 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    log_to_stderr();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.workers.get())
        .enable_all()
        .build()?
        .block_on(serve(&options))
}

async fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    let app = App::new(options.start_maintenance().await?);
    let listener = listen(options.listen)?;
    println!("listening on http://{}", listener.local_addr()?);
    // Whoever started this process waits for the line.
    std::io::stdout().flush()?;

    let stopping = Arc::new(Notify::new());
    let told = Arc::clone(&stopping);
    let server = warp::serve(site(&app))
        .incoming(listener)
        .graceful(async move {
            stop_signal().await;
            told.notify_one();
        });
    tokio::select! {
        () = server.run() => {}
        // Requests that are running then have had their time.
        () = async { stopping.notified().await; tokio::time::sleep(Duration::from_secs(10)).await } => {}
    }
    Ok(())
}

/// warp gives no way to a connection's socket; on Linux it has the listener's options.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    // Without it a small answer may wait for the client's acknowledgement.
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// From inside to outside: the routes with maintenance, what becomes of rejections, the log.
fn site(
    app: &App,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + use<> {
    log(routes::all(app).recover(unknown), |line| {
        // `-` stands for requests that nothing was closed for.
        let verdict = line
            .verdict
            .map_or_else(|| "-".to_owned(), ToString::to_string);
        let (method, path, status) = (line.method, line.path, line.status.as_u16());
        tracing::info!("{method} {path} {status} maintenance={verdict}");
    })
}

/// Rejections pass maintenance untouched, so there is nothing of it to look for in here.
async fn unknown(rejection: Rejection) -> Result<Response, Rejection> {
    if !rejection.is_not_found() {
        return Err(rejection);
    }
    let nothing = reply::with_status("There is nothing here.\n", StatusCode::NOT_FOUND);
    Ok(nothing.into_response())
}

/// Comes back at SIGTERM and at Ctrl-C.
async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: no new connections, running requests may end");
}
