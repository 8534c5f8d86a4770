//! One of the sites on a real socket, with one worker: `site plain|ten-liner|ours [open|closed]`.
//!
//! Ours has a file backend. The program says `listening ADDRESS`, and ends when its standard input ends.
#![expect(
    clippy::future_not_send,
    reason = "actix keeps a future on the thread that made it"
)]

use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpServer};
use maintenance_mode_benches::{Trouble, sites};

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match perform(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("site: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(arguments: &[&str]) -> Result<(), Trouble> {
    let (kind, closed) = match *arguments {
        [kind] | [kind, "open"] => (kind, false),
        [kind, "closed"] => (kind, true),
        _ => return Err("usage: site plain|ten-liner|ours [open|closed]".into()),
    };
    match kind {
        "plain" => serve(sites::plain).await,
        "ten-liner" => {
            let flag = Arc::new(AtomicBool::new(closed));
            serve(move || sites::ten_liner(Arc::clone(&flag))).await
        }
        "ours" => {
            let folder = tempfile::tempdir()?;
            let backend = format!("file:{}", folder.path().join("state.json").display());
            let maintenance = sites::switch(&backend, closed).await?;
            serve(move || sites::ours(maintenance.clone())).await
        }
        _ => Err(format!("`{kind}` is not a site").into()),
    }
}

async fn serve<F, S, B>(site: F) -> Result<(), Trouble>
where
    F: Fn() -> App<S> + Clone + Send + 'static,
    S: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let server = HttpServer::new(site)
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .bind("127.0.0.1:0")?;
    let address = *server.addrs().first().ok_or("no address was bound")?;
    let server = server.run();
    let handle = server.handle();
    println!("listening {address}");
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        // The stop begins with the call; the future only waits for its end.
        drop(handle.stop(false));
    });
    Ok(server.await?)
}
