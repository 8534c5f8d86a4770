//! A small real site on axum that can be closed.

mod app;
mod routes;

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use clap::Parser as _;
use maintenance_mode_example_shop::{Options, log_to_stderr};
use maintenance_mode_tower::{MaintenanceLayer, Routes, Verdict};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use app::App;

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
    let listener = TcpListener::bind(options.listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // Whoever started this process waits for the line.
    std::io::stdout().flush()?;

    let listener = listener.tap_io(|stream| {
        // Without it a small answer may wait for the client's acknowledgement; it is no reason to fail.
        let _ = stream.set_nodelay(true);
    });
    let service = site(app).into_make_service_with_connect_info::<SocketAddr>();
    let stopping = Arc::new(Notify::new());
    let told = Arc::clone(&stopping);
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        stop_signal().await;
        told.notify_one();
    });
    tokio::select! {
        ended = server.into_future() => ended?,
        // Requests that are running then have had their time.
        () = async { stopping.notified().await; tokio::time::sleep(Duration::from_secs(10)).await } => {}
    }
    Ok(())
}

/// The layer that is added last is the outermost: the logger sees every answer.
fn site(app: App) -> Router {
    let (who, leaver) = (app.clone(), app.clone());
    let routes = Routes::by(|request| request.get::<MatchedPath>().map(MatchedPath::as_str))
        .control("/maintenance/status")
        .force_off("/always-open")
        .force_on("/always-closed");
    let maintenance = MaintenanceLayer::new(app.maintenance.clone())
        .peer_from(|info: &ConnectInfo<SocketAddr>| info.ip())
        .identify(app::identify(who))
        .on_logout(app::log_out(leaver))
        .routes(routes);
    routes::all()
        .with_state(app)
        .layer(maintenance)
        .layer(middleware::from_fn(log))
}

/// `-` stands for requests that nothing was closed for.
async fn log(request: Request, next: Next) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let response = next.run(request).await;
    let verdict = response.extensions().get::<Verdict>();
    tracing::info!(
        "{line} {} maintenance={}",
        response.status().as_u16(),
        verdict.map_or_else(|| "-".to_owned(), ToString::to_string)
    );
    response
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
