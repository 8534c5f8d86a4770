//! A small real site on Rocket that can be closed.

mod app;
mod routes;

use std::collections::HashSet;
use std::error::Error;
use std::io::Write as _;

use clap::Parser as _;
use maintenance_mode::Maintenance;
use maintenance_mode_example_shop::{Options, Sessions, Shop, log_to_stderr};
use maintenance_mode_rocket::{MaintenanceFairing, Verdict};
use rocket::config::{Ident, LogLevel, Shutdown, Sig};
use rocket::data::{Limits, ToByteUnit as _};
use rocket::fairing::{AdHoc, Fairing};
use rocket::shield::Shield;
use rocket::{Build, Config, Orbit, Rocket};

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    log_to_stderr();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.workers.get())
        .enable_all()
        .build()?
        .block_on(async {
            let maintenance = options.start_maintenance().await?;
            site(maintenance, config(&options)).launch().await?;
            Ok(())
        })
}

fn config(options: &Options) -> Config {
    Config {
        address: options.listen.ip(),
        port: options.listen.port(),
        workers: options.workers.get(),
        limits: Limits::default().limit("json", 4.kibibytes()),
        ident: Ident::none(),
        log_level: LogLevel::Off,
        shutdown: Shutdown {
            ctrlc: true,
            signals: HashSet::from([Sig::Term]),
            // Running requests may end. While one does, Rocket waits for the whole of it.
            grace: 7,
            mercy: 1,
            ..Shutdown::default()
        },
        ..Config::default()
    }
}

fn site(maintenance: Maintenance, config: Config) -> Rocket<Build> {
    let fairing = MaintenanceFairing::new(maintenance.clone())
        .identify(|request| Box::pin(app::identify(request)))
        .on_logout(|request| Box::pin(app::log_out(request)));
    let site = rocket::custom(config)
        // The answers come without fields of Rocket's own, to be compared with other frameworks'.
        .attach(Shield::new())
        .attach(fairing)
        .attach(access_log())
        .attach(AdHoc::on_liftoff("Announce", |rocket| {
            Box::pin(announce(rocket))
        }))
        .manage(maintenance)
        .manage(Sessions::default())
        .manage(Shop::default());
    routes::mount(site)
}

async fn announce(rocket: &Rocket<Orbit>) {
    let Config { address, port, .. } = rocket.config();
    let address = std::net::SocketAddr::new(*address, *port);
    println!("listening on http://{address}");
    // Whoever started this process waits for the line. Without a reader there is nobody to tell.
    let _ = std::io::stdout().flush();
}

/// `-` stands for requests that nothing was closed for.
fn access_log() -> impl Fairing {
    AdHoc::on_response("Access log", |request, response| {
        let status = response.status().code;
        Box::pin(async move {
            let verdict = Verdict::of(request);
            tracing::info!(
                "{} {} {status} maintenance={}",
                request.method(),
                request.uri(),
                verdict.map_or_else(|| "-".to_owned(), |verdict| verdict.to_string())
            );
        })
    })
}
