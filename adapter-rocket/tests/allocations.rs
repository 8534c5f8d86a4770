//! What a request of an open site allocates more than without the fairing.
#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket's handlers own what guards give them"
)]
#![allow(clippy::unwrap_used)]

use allocation_counter::AllocationInfo;
use maintenance_mode::{Config, Identity, Maintenance};
use maintenance_mode_rocket::{MaintenanceFairing, force_on};
use rocket::config::LogLevel;
use rocket::http::Header;
use rocket::local::asynchronous::Client;
use rocket::{Build, Request, Rocket, get, routes};
use tokio::runtime::Runtime;

#[get("/")]
const fn hello() -> &'static str {
    "hello"
}

#[get("/shut")]
const fn shut() {}

/// An application that keeps something with each request itself.
#[get("/cached")]
fn cached(seen: Cached) -> &'static str {
    seen.0
}

struct Cached(&'static str);

#[rocket::async_trait]
impl<'r> rocket::request::FromRequest<'r> for Cached {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> rocket::request::Outcome<Self, ()> {
        rocket::request::Outcome::Success(Self(request.local_cache(|| "cached")))
    }
}

fn application() -> Rocket<Build> {
    rocket::custom(rocket::Config {
        log_level: LogLevel::Off,
        ..rocket::Config::release_default()
    })
    .mount("/", routes![hello, cached])
}

/// What one request allocates, after everything is warm.
fn cost(runtime: &Runtime, site: Rocket<Build>, path: &'static str) -> u64 {
    let site = runtime.block_on(Client::untracked(site)).unwrap();
    let mut cost = AllocationInfo::default();
    for _ in 0..10 {
        let request = site.get(path).header(Header::new("Host", "shop.example"));
        cost = allocation_counter::measure(|| {
            let response = runtime.block_on(request.dispatch());
            assert_eq!(response.status().code, 200);
        });
    }
    cost.count_total
}

#[test]
fn an_open_site_allocates_what_rocket_forces() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let config = Config::new()
        .backend("memory:")
        .allow_path("/open")
        .allow_role("staff");
    let maintenance = runtime.block_on(Maintenance::start(config)).unwrap();
    let fairing = MaintenanceFairing::new(maintenance.clone())
        .identify(|_| Box::pin(async { Identity::anonymous() }));
    let gated = || {
        application()
            .attach(fairing.clone())
            .mount("/", force_on(routes![shut]))
    };

    let plain = cost(&runtime, application(), "/");
    assert!(plain > 0, "nothing was measured");
    // The box of the gate's outcome, the table of the request-local cache, and a box in it.
    assert_eq!(cost(&runtime, gated(), "/"), plain + 3);
    // An application that uses the cache has the table already.
    let plain = cost(&runtime, application(), "/cached");
    assert_eq!(cost(&runtime, gated(), "/cached"), plain + 2);
    assert_eq!(maintenance.in_flight().count(), 0);
}
