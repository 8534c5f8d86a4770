//! A small real site on poem that can be closed.

mod app;
mod listener;
mod routes;

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use maintenance_mode_example_shop::{Options, log_to_stderr};
use maintenance_mode_poem::{MaintenanceMiddleware, Verdict};
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, Request, Response, Server};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use app::App;
use listener::AtOnce;

/// Requests that are running when the process is told to stop have this long.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

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
    Server::new_with_acceptor(AtOnce::new(listener)?)
        .run_with_graceful_shutdown(site(app), stop_signal(), Some(LAST_REQUESTS))
        .await?;
    Ok(())
}

/// What is put around last is the outermost: the logger sees every answer.
fn site(app: App) -> impl Endpoint {
    let (who, leaver) = (app.clone(), app.clone());
    let gate = MaintenanceMiddleware::new(app.maintenance.clone())
        .identify(app::identify(who))
        .on_logout(app::log_out(leaver))
        .control_at("/maintenance/status")
        .force_off_at("/always-open")
        .force_on_at("/always-closed");
    routes::all()
        // The status extractor finds its handle there.
        .data(app.maintenance.clone())
        .data(app)
        .with(gate)
        .around(log)
}

/// `-` stands for requests that nothing was closed for.
async fn log<E: Endpoint>(site: Arc<E>, request: Request) -> poem::Result<Response> {
    let line = format!("{} {}", request.method(), request.original_uri());
    let result = site.call(request).await;
    let (status, verdict, result) = match result {
        Ok(output) => {
            let response = output.into_response();
            (response.status(), response.data().cloned(), Ok(response))
        }
        Err(error) => (error.status(), error.data().cloned(), Err(error)),
    };
    let verdict: Option<Verdict> = verdict;
    tracing::info!(
        "{line} {} maintenance={}",
        status.as_u16(),
        verdict.map_or_else(|| "-".to_owned(), |verdict| verdict.to_string())
    );
    result
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
