//! A small real site on actix-web that can be closed.
#![allow(
    clippy::future_not_send,
    reason = "actix keeps a connection on one thread"
)]

mod routes;
mod session;

use std::error::Error;
use std::io::Write as _;

use actix_web::middleware::Logger;
use actix_web::{App, HttpServer, web};
use clap::Parser as _;
use maintenance_mode_actix::{MaintenanceMw, Verdict};
use maintenance_mode_example_shop::{Options, Sessions, Shop, log_to_stderr};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    log_to_stderr();
    let maintenance = options.start_maintenance().await?;
    let sessions = web::Data::new(Sessions::default());
    let shop = web::Data::new(Shop::default());

    let server = HttpServer::new(move || {
        // The layer that is wrapped last is the outermost: the logger sees every answer.
        App::new()
            .app_data(maintenance.clone())
            .app_data(sessions.clone())
            .app_data(shop.clone())
            .configure(routes::all)
            .wrap(
                MaintenanceMw::new(maintenance.clone())
                    .identify(session::identify)
                    .on_logout(session::log_out)
                    .control_named("maintenance-status")
                    .force_off_named("always-open")
                    .force_on_named("always-closed"),
            )
            .wrap(logger())
    })
    .workers(options.workers.get())
    .shutdown_timeout(10)
    .disable_signals()
    // HTTP/2 by prior knowledge too, as proxies and gRPC clients speak it.
    .bind_auto_h2c(options.listen)?;

    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    // Whoever started this process waits for the line.
    std::io::stdout().flush()?;
    let server = server.run();
    stop_at_a_signal(server.handle())?;
    Ok(server.await?)
}

/// `-` stands for requests that nothing was closed for.
fn logger() -> Logger {
    Logger::new("%r %s %b %Dms maintenance=%{maintenance}xo").custom_response_replace(
        "maintenance",
        |response| {
            Verdict::of(response).map_or_else(|| "-".to_owned(), |verdict| verdict.to_string())
        },
    )
}

/// Lets running requests end at SIGTERM and at Ctrl-C.
fn stop_at_a_signal(server: actix_web::dev::ServerHandle) -> std::io::Result<()> {
    use actix_web::rt::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    actix_web::rt::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new connections, running requests may end");
        server.stop(true).await;
    });
    Ok(())
}
