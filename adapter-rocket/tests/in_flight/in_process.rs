//! Requests and responses that are polled, held and dropped by hand.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use maintenance_mode::{Config, Identity, Maintenance, Mode};
use maintenance_mode_conformance::in_flight::{Dice, switch_for_round};
use maintenance_mode_rocket::{ForcedOn, MaintenanceFairing, force_off};
use rocket::data::{IoHandler, IoStream};
use rocket::http::{Header, Status};
use rocket::local::asynchronous::{Client, LocalRequest, LocalResponse};
use rocket::response::stream::ByteStream;
use rocket::response::{self, Responder, Response};
use rocket::tokio::io::{AsyncRead, ReadBuf};
use rocket::{Request, get, routes};

use super::{maintenance, quiet};

#[get("/")]
const fn hello() -> &'static str {
    "hello"
}

#[get("/slow")]
async fn slow() -> &'static str {
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    "slow"
}

#[get("/stream")]
fn stream() -> ByteStream![&'static [u8]] {
    ByteStream! {
        for _ in 0..4 {
            tokio::task::yield_now().await;
            yield b"chunk".as_slice();
        }
    }
}

#[get("/error")]
const fn error() -> Status {
    Status::ImATeapot
}

#[get("/panic")]
fn panics() -> &'static str {
    std::panic::resume_unwind(Box::new("a handler that panics"))
}

#[get("/forced")]
const fn forced(_closed: ForcedOn) {}

/// A protocol that nobody speaks.
struct Silence;

#[rocket::async_trait]
impl IoHandler for Silence {
    async fn io(self: Pin<Box<Self>>, _: IoStream) -> io::Result<()> {
        std::future::pending().await
    }
}

impl<'r> Responder<'r, 'static> for Silence {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build().upgrade("silence", self).ok()
    }
}

#[get("/upgrade")]
const fn upgrade() -> Silence {
    Silence
}

async fn site(maintenance: &Maintenance) -> Client {
    let fairing = MaintenanceFairing::new(maintenance.clone()).identify(|_| {
        Box::pin(async {
            tokio::task::yield_now().await;
            Identity::anonymous()
        })
    });
    let site = quiet()
        .attach(fairing)
        .mount("/", routes![hello, slow, stream, error, panics, forced])
        .mount("/", force_off(routes![upgrade]));
    Client::untracked(site).await.unwrap()
}

fn ask<'c>(site: &'c Client, path: &'static str) -> LocalRequest<'c> {
    site.get(path)
        .header(Header::new("Upgrade", "other, silence"))
}

/// Reads one piece of a body.
fn read_some(response: &mut LocalResponse<'_>) -> Poll<io::Result<usize>> {
    let mut bytes = [0; 5];
    let mut buffer = ReadBuf::new(&mut bytes);
    let mut cx = Context::from_waker(Waker::noop());
    let read = Pin::new(response).poll_read(&mut cx, &mut buffer)?;
    read.map(|()| Ok(buffer.filled().len()))
}

#[tokio::test]
async fn counted_from_the_gate_until_the_request_is_gone() {
    let maintenance = maintenance(Config::new()).await;
    let site = site(&maintenance).await;
    let counts = || {
        let in_flight = maintenance.in_flight();
        (in_flight.count(), in_flight.upgraded())
    };
    let mut cx = Context::from_waker(Waker::noop());

    let mut call = Box::pin(ask(&site, "/slow").dispatch());
    assert!(call.as_mut().poll(&mut cx).is_pending());
    assert_eq!(counts(), (1, 0), "in the handler");
    drop(call);
    assert_eq!(counts(), (0, 0), "dropped in the handler");

    let mut response = ask(&site, "/stream").dispatch().await;
    assert_eq!(counts(), (1, 0));
    while read_some(&mut response).is_pending() {}
    assert_eq!(counts(), (1, 0), "half read");
    drop(response);
    assert_eq!(counts(), (0, 0), "dropped half read");

    for (path, status) in [("/error", 418), ("/panic", 500), ("/nowhere", 404)] {
        let response = ask(&site, path).dispatch().await;
        assert_eq!((response.status().code, counts()), (status, (1, 0)));
        drop(response);
        assert_eq!(counts(), (0, 0), "after {path}");
    }

    let upgraded = ask(&site, "/upgrade").dispatch().await;
    assert_eq!(counts(), (0, 1), "upgraded connections count apart");
    drop(upgraded);
    assert_eq!(counts(), (0, 0), "after an upgraded connection");
    let unasked = site.get("/upgrade").dispatch().await;
    assert_eq!(counts(), (1, 0), "not upgraded unless asked for");
    drop(unasked);

    // Routed twice, counted once.
    let head = site.head("/").dispatch().await;
    assert_eq!(counts(), (1, 0));
    drop(head);
    let forced = ask(&site, "/forced").dispatch().await;
    assert_eq!((forced.status().code, counts()), (503, (0, 0)));
}

#[tokio::test]
async fn a_blocked_request_is_not_counted() {
    let maintenance = maintenance(Config::new().mode(Mode::Offline)).await;
    let site = site(&maintenance).await;
    for path in ["/", "/slow", "/nowhere", "/forced"] {
        let response = ask(&site, path).dispatch().await;
        assert_eq!(response.status().code, 503);
        assert_eq!(maintenance.in_flight().count(), 0, "{path}");
    }
}

/// Polls a few times, then drops it, wherever it is.
async fn treat(call: impl Future<Output = LocalResponse<'_>>, dice: &mut Dice) {
    let mut call = pin!(call);
    let mut cx = Context::from_waker(Waker::noop());
    let polls = dice.roll(6);
    let Some(mut response) = (0..polls).find_map(|_| match call.as_mut().poll(&mut cx) {
        Poll::Ready(response) => Some(response),
        Poll::Pending => None,
    }) else {
        return;
    };
    for _ in 0..dice.roll(7) {
        if let Poll::Ready(Ok(0) | Err(_)) = read_some(&mut response) {
            return;
        }
    }
}

#[tokio::test]
async fn ten_thousand_requests_with_random_ends_leave_nothing_behind() {
    let config = Config::new().allow_role("staff").allow_path("/stream");
    let maintenance = maintenance(config).await;
    let site = site(&maintenance).await;
    let paths = [
        "/", "/slow", "/stream", "/error", "/upgrade", "/nowhere", "/panic", "/forced",
    ];
    let mut dice = Dice::default();
    let mut most = 0;
    for round in 0..10 {
        switch_for_round(&maintenance, round).await.unwrap();
        let mut held = Vec::new();
        for _ in 0..1000 {
            let path = paths[usize::try_from(dice.roll(8)).unwrap()];
            let head = dice.roll(4) == 0;
            let request = if head {
                site.head(path)
            } else {
                ask(&site, path)
            };
            let mut call = Box::pin(request.dispatch());
            if dice.roll(10) == 0 {
                let _ = call
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .map(drop);
                held.push(call);
            } else {
                treat(call, &mut dice).await;
            }
        }
        let in_flight = maintenance.in_flight();
        most = most.max(in_flight.count() + in_flight.upgraded());
        drop(held);
        assert_eq!(
            (in_flight.count(), in_flight.upgraded()),
            (0, 0),
            "round {round}"
        );
    }
    assert!(most > 10, "hardly anything was ever in flight: {most}");
}
