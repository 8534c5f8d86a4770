//! Routing with the fairing is as it is without.

use std::path::PathBuf;

use maintenance_mode::Config;
use maintenance_mode_rocket::MaintenanceFairing;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::local::asynchronous::Client;
use rocket::request::{FromRequest, Outcome};
use rocket::{Build, Request, Rocket, catch, catchers, get, head, post, routes};

use super::{client, closed, maintenance, quiet};

#[get("/")]
fn root(seen: Seen) -> String {
    format!("root by {}", seen.0)
}

#[get("/numbers/<number>")]
fn number(number: u8) -> String {
    format!("number {number}")
}

#[get("/numbers/<text>", rank = 2)]
fn text(text: &str) -> String {
    format!("text {text}")
}

#[get("/strict/<number>")]
fn strict(number: u8) -> String {
    format!("strict {number}")
}

#[get("/files/<path..>?<size>")]
fn file(path: PathBuf, size: Option<u8>) -> String {
    format!("file {} {size:?}", path.display())
}

#[head("/own-head")]
fn own_head() -> (Status, ()) {
    (Status::Accepted, ())
}

#[get("/own-head")]
fn beside_head() -> &'static str {
    "beside"
}

#[post("/data", data = "<text>", format = "text/plain")]
fn data(text: String) -> String {
    format!("data {text}")
}

#[post("/data", data = "<bytes>", rank = 2)]
fn bytes(bytes: Vec<u8>) -> String {
    format!("{} bytes", bytes.len())
}

/// The method, as handlers see it.
struct Seen(Method);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Seen {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Success(Self(request.method()))
    }
}

struct Teapot;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Teapot {
    type Error = ();

    async fn from_request(_: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Error((Status::ImATeapot, ()))
    }
}

#[get("/teapot")]
fn teapot(_pot: Teapot) {}

#[get("/panic")]
fn panics() -> &'static str {
    std::panic::resume_unwind(Box::new("a handler that panics"))
}

#[catch(404)]
fn missing(request: &Request<'_>) -> String {
    format!("nothing at {} {}", request.method(), request.uri())
}

#[catch(422)]
fn misfit() -> &'static str {
    "does not fit"
}

#[catch(default)]
fn other(status: Status, _: &Request<'_>) -> String {
    format!("other {}", status.code)
}

fn application() -> Rocket<Build> {
    let routes = routes![
        root,
        number,
        text,
        strict,
        file,
        own_head,
        beside_head,
        data,
        bytes,
        teapot,
        panics
    ];
    quiet()
        .mount("/", routes)
        .register("/", catchers![missing, misfit, other])
}

/// The method and the target with what is sent.
const REQUESTS: &[(Method, &str, &str, &str)] = &[
    (Method::Get, "/", "", ""),
    (Method::Head, "/", "", ""),
    (Method::Post, "/", "", ""),
    (Method::Options, "/", "", ""),
    (Method::Get, "/nowhere", "", ""),
    (Method::Head, "/nowhere", "", ""),
    (Method::Get, "/numbers/7", "", ""),
    (Method::Get, "/numbers/seven", "", ""),
    (Method::Get, "/strict/seven", "", ""),
    (Method::Head, "/strict/seven", "", ""),
    (Method::Get, "/strict/8", "", ""),
    (Method::Get, "/files/a/b.css?size=3", "", ""),
    (Method::Get, "/files", "", ""),
    (Method::Get, "//files//a/", "", ""),
    (Method::Get, "/files/%2e%2e/etc", "", ""),
    (Method::Head, "/own-head", "", ""),
    (Method::Get, "/own-head", "", ""),
    (Method::Post, "/data", "text/plain", "some text"),
    (
        Method::Post,
        "/data",
        "application/octet-stream",
        "some bytes",
    ),
    (
        Method::Post,
        "/data",
        "application/x-www-form-urlencoded",
        "_method=get",
    ),
    (
        Method::Post,
        "/",
        "application/x-www-form-urlencoded",
        "_method=get",
    ),
    (Method::Get, "/teapot", "", ""),
    (Method::Get, "/panic", "", ""),
    (Method::Patch, "/data", "text/plain", "some text"),
];

/// All that a client sees.
async fn seen(
    site: &Client,
    request: &(Method, &'static str, &'static str, &'static str),
) -> String {
    let (method, target, kind, body) = *request;
    let mut asked = site.req(method, target).body(body);
    if let Ok(kind) = kind.parse::<ContentType>() {
        asked.add_header(kind);
    }
    asked.add_header(Header::new("X-Test", "1"));
    let response = asked.dispatch().await;
    let mut fields: Vec<_> = response
        .headers()
        .iter()
        .map(|field| field.to_string())
        .collect();
    fields.sort();
    let size = response.body().preset_size();
    let status = response.status();
    let text = response.into_string().await;
    format!("{method} {target}: {status} {fields:?} {size:?} {text:?}")
}

async fn is_as_without(fairing: MaintenanceFairing) {
    let with = client(application().attach(fairing)).await;
    let without = client(application()).await;
    for request in REQUESTS {
        assert_eq!(seen(&with, request).await, seen(&without, request).await);
    }
}

#[tokio::test]
async fn an_open_site_routes_as_without_the_fairing() {
    let maintenance = maintenance(Config::new()).await;
    is_as_without(MaintenanceFairing::new(maintenance.clone())).await;
    assert_eq!(maintenance.in_flight().count(), 0);
}

#[tokio::test]
async fn a_closed_site_routes_as_without_the_fairing_for_whom_it_lets_in() {
    let maintenance = closed(Config::new().allow_tests(true)).await;
    is_as_without(MaintenanceFairing::new(maintenance.clone()).test_mode(true)).await;
    assert_eq!(maintenance.in_flight().count(), 0);
}

#[tokio::test]
async fn every_method_is_gated() {
    let maintenance = closed(Config::new()).await;
    let site = client(application().attach(MaintenanceFairing::new(maintenance))).await;
    for request in REQUESTS {
        let text = seen(&site, request).await;
        assert!(
            text.contains(": 503 ") && text.contains("x-maintenance: 1"),
            "{text}"
        );
    }
}
