//! Futures and bodies that are polled, held and dropped by hand.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::Empty;
use maintenance_mode::{Config, Identity, Maintenance, Mode};
use maintenance_mode_conformance::in_flight::{Dice, switch_for_round};
use maintenance_mode_tower::{MaintenanceBody, MaintenanceLayer};
use tower::{Layer, Service, service_fn};

use super::maintenance;

/// A body whose frames are ready, in order.
struct Chunks(VecDeque<io::Result<Bytes>>);

impl Body for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.0.pop_front().map(|chunk| chunk.map(Frame::data)))
    }
}

type Answer = Result<Response<MaintenanceBody<Chunks>>, Infallible>;
type Call = Pin<Box<dyn Future<Output = Answer>>>;

async fn application(request: Request<Empty<Bytes>>) -> Result<Response<Chunks>, Infallible> {
    let chunk = || Ok(Bytes::from_static(b"chunk"));
    let chunks = match request.uri().path() {
        "/slow" => {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            vec![chunk()]
        }
        "/stream" => vec![chunk(), chunk(), chunk(), chunk()],
        "/breaks" => vec![chunk(), Err(io::Error::other("broken"))],
        "/panic" => std::panic::resume_unwind(Box::new("a handler that panics")),
        _ => vec![chunk()],
    };
    Ok(Response::new(Chunks(chunks.into())))
}

/// What makes calls.
fn site(maintenance: &Maintenance) -> impl FnMut(&str) -> Call {
    let layer = MaintenanceLayer::new(maintenance.clone()).identify(async |_: &Parts| {
        tokio::task::yield_now().await;
        Identity::anonymous()
    });
    let mut service = layer.layer(service_fn(application));
    move |path| Box::pin(service.call(Request::get(path).body(Empty::new()).unwrap()))
}

#[tokio::test]
async fn counted_from_the_call_until_the_body_is_dropped() {
    let maintenance = maintenance(Config::new()).await;
    let mut call = site(&maintenance);
    let count = || maintenance.in_flight().count();

    let unpolled = call("/slow");
    assert_eq!(count(), 1, "before the first poll");
    drop(unpolled);
    assert_eq!(count(), 0, "dropped unpolled");

    let mut body = Box::pin(call("/stream").await.unwrap().into_body());
    assert_eq!(count(), 1);
    let mut cx = Context::from_waker(Waker::noop());
    let first = body.as_mut().poll_frame(&mut cx);
    assert!(matches!(first, Poll::Ready(Some(Ok(_)))));
    assert_eq!(count(), 1, "half read");
    drop(body);
    assert_eq!(count(), 0, "dropped half read");

    let panics = tokio::spawn({
        let handle = maintenance.clone();
        async move {
            let layer = MaintenanceLayer::new(handle);
            let mut service = layer.layer(service_fn(application));
            let request = Request::get("/panic").body(Empty::new()).unwrap();
            service.call(request).await.is_ok()
        }
    });
    assert!(panics.await.unwrap_err().is_panic());
    assert_eq!(count(), 0, "after a panic");
}

#[tokio::test]
async fn an_error_of_the_application_ends_the_count() {
    let maintenance = maintenance(Config::new()).await;
    let fails = service_fn(async |_: Request<Empty<Bytes>>| {
        Err::<Response<Chunks>, _>(io::Error::other("no"))
    });
    let mut service = MaintenanceLayer::new(maintenance.clone()).layer(fails);
    let call = service.call(Request::new(Empty::new()));
    assert_eq!(maintenance.in_flight().count(), 1);
    assert!(call.await.is_err());
    assert_eq!(maintenance.in_flight().count(), 0);
}

#[tokio::test]
async fn a_blocked_request_is_not_counted() {
    let maintenance = maintenance(Config::new().mode(Mode::Offline)).await;
    let response = site(&maintenance)("/").await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(maintenance.in_flight().count(), 0);
}

/// Polls a few times, then drops it, wherever it is.
fn treat(mut call: Call, dice: &mut Dice) {
    let mut cx = Context::from_waker(Waker::noop());
    let response = (0..dice.roll(6)).find_map(|_| match call.as_mut().poll(&mut cx) {
        Poll::Ready(response) => response.ok(),
        Poll::Pending => None,
    });
    let Some(response) = response else {
        return;
    };
    let mut body = pin!(response.into_body());
    for _ in 0..dice.roll(7) {
        let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut cx) else {
            return;
        };
    }
}

#[tokio::test]
async fn ten_thousand_requests_with_random_ends_leave_nothing_behind() {
    let config = Config::new().allow_role("staff").allow_path("/stream");
    let maintenance = maintenance(config).await;
    let mut call = site(&maintenance);
    let paths = ["/", "/slow", "/stream", "/breaks", "/nowhere"];
    let mut dice = Dice::default();
    let mut most = 0;
    for round in 0..10 {
        switch_for_round(&maintenance, round).await.unwrap();
        let mut held = Vec::new();
        for _ in 0..1000 {
            let call = call(paths[usize::try_from(dice.roll(5)).unwrap()]);
            if dice.roll(10) == 0 {
                held.push(call);
            } else {
                treat(call, &mut dice);
            }
        }
        let in_flight = maintenance.in_flight();
        most = most.max(in_flight.count());
        for call in held {
            treat(call, &mut dice);
        }
        assert_eq!(in_flight.count(), 0, "round {round}");
    }
    assert!(most > 50, "hardly anything was ever in flight: {most}");
}
