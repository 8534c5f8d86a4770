//! Rocket, with the switch as a fairing.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use maintenance_mode_rocket::MaintenanceFairing;
use rocket::config::{Ident, LogLevel, Shutdown};
use rocket::fairing::{AdHoc, Fairing, Info, Kind as On};
use rocket::http::uri::Origin;
use rocket::http::{Header, Method};
use rocket::local::asynchronous::Client;
use rocket::shield::Shield;
use rocket::{Build, Config, Data, Request, Responder, Rocket, get, routes};

use super::{BACK_SOON, Framework, HELLO, Kind, Switch, Variant, input_ended, runtime};
use crate::Trouble;
use crate::scenarios::Runner;

/// The only place for it.
pub(super) const FRAMEWORK: Framework = Framework {
    name: "rocket",
    prepare,
    serve,
};

#[get("/")]
const fn hello() -> &'static str {
    HELLO
}

#[derive(Responder)]
#[response(status = 503, content_type = "text/plain; charset=utf-8")]
struct Closed {
    text: &'static str,
    retry_after: Header<'static>,
}

#[get("/closed-for-maintenance")]
fn closed() -> Closed {
    Closed {
        text: BACK_SOON,
        retry_after: Header::new("Retry-After", "120"),
    }
}

/// What people write by hand: a fairing cannot answer, so it sends every request to another route.
struct TenLiner(Arc<AtomicBool>);

#[rocket::async_trait]
impl Fairing for TenLiner {
    fn info(&self) -> Info {
        Info {
            name: "Ten-liner",
            kind: On::Request,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        if self.0.load(Ordering::Relaxed) {
            request.set_method(Method::Get);
            request.set_uri(Origin::const_new("/closed-for-maintenance", None));
        }
    }
}

fn site(variant: Variant, switch: &Switch) -> Rocket<Build> {
    let config = Config {
        port: 0,
        workers: 1,
        ident: Ident::none(),
        log_level: LogLevel::Off,
        shutdown: Shutdown {
            ctrlc: false,
            signals: HashSet::new(),
            grace: 0,
            mercy: 0,
            ..Shutdown::default()
        },
        ..Config::default()
    };
    let plain = rocket::custom(config)
        .attach(Shield::new())
        .mount("/", routes![hello]);
    match variant.kind {
        Kind::Plain | Kind::Counted => plain,
        Kind::TenLiner => {
            let flag = Arc::new(AtomicBool::new(variant.closed));
            plain.mount("/", routes![closed]).attach(TenLiner(flag))
        }
        Kind::Ours => plain.attach(MaintenanceFairing::new(switch.maintenance.clone())),
    }
}

fn prepare(variant: Variant) -> Result<Runner, Trouble> {
    if variant.kind == Kind::Counted {
        return Err("counting alone is measured with other frameworks".into());
    }
    let runtime = runtime()?;
    let switch = runtime.block_on(Switch::in_memory(variant.closed))?;
    let client = runtime
        .block_on(Client::untracked(site(variant, &switch)))
        .map_err(|error| error.to_string())?;
    Ok(Box::new(move |count| {
        let _kept = &switch;
        runtime.block_on(async {
            for _ in 0..count {
                let request = client
                    .get("/")
                    .header(Header::new("host", "www.example.com"))
                    .header(Header::new("accept", "*/*"));
                let response = request.dispatch().await;
                assert_eq!(response.status().code, variant.status());
                drop(response.into_bytes().await);
            }
        });
    }))
}

fn serve(variant: Variant) -> Result<(), Trouble> {
    runtime()?.block_on(async {
        let switch = Switch::on_file(variant.closed).await?;
        let announce = AdHoc::on_liftoff("Announce", |rocket| {
            Box::pin(async move {
                let Config { address, port, .. } = rocket.config();
                println!("listening {address}:{port}");
                // Without a reader there is nobody to tell.
                let _ = std::io::stdout().flush();
            })
        });
        let site = site(variant, &switch).attach(announce);
        tokio::select! {
            ended = site.launch() => ended.map(drop).map_err(|error| error.to_string().into()),
            () = input_ended() => Ok(()),
        }
    })
}
