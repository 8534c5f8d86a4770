//! Futures and bodies that are polled, held and dropped by hand.

use std::collections::VecDeque;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures_util::{Stream, stream};
use maintenance_mode::{Config, Identity, Maintenance, Mode};
use maintenance_mode_conformance::in_flight::{Dice, switch_for_round};
use maintenance_mode_poem::MaintenanceMiddleware;
use poem::endpoint::{BoxEndpoint, make, make_sync};
use poem::http::StatusCode;
use poem::{Body, Endpoint, EndpointExt, Error, Middleware, Request, Response, Result};

use super::maintenance;

type Call<'s> = Pin<Box<dyn Future<Output = Result<Response>> + Send + 's>>;

/// A body whose chunks are ready, in order.
fn chunks(count: usize, breaks: bool) -> Body {
    let mut chunks: VecDeque<io::Result<&[u8]>> = vec![].into();
    chunks.extend((0..count).map(|_| Ok(&b"chunk"[..])));
    chunks.extend(breaks.then(|| Err(io::Error::other("broken"))));
    Body::from_bytes_stream(stream::iter(chunks))
}

async fn application(request: Request) -> Result<Body> {
    match request.uri().path() {
        "/slow" => {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            Ok(chunks(1, false))
        }
        "/stream" => Ok(chunks(4, false)),
        "/breaks" => Ok(chunks(1, true)),
        "/fails" => Err(Error::from_status(StatusCode::IM_A_TEAPOT)),
        "/panic" => std::panic::resume_unwind(Box::new("a handler that panics")),
        _ => Ok(chunks(1, false)),
    }
}

fn site(maintenance: &Maintenance) -> BoxEndpoint<'static> {
    let gate = MaintenanceMiddleware::new(maintenance.clone()).identify(async |_: &Request| {
        tokio::task::yield_now().await;
        Identity::anonymous()
    });
    make(application).with(gate).boxed()
}

fn call<'s>(site: &'s BoxEndpoint<'static>, path: &str) -> Call<'s> {
    let request = Request::builder().uri_str(path).finish();
    Box::pin(Endpoint::call(site, request))
}

#[tokio::test]
async fn counted_from_the_call_until_the_body_is_dropped() {
    let maintenance = maintenance(Config::new()).await;
    let site = site(&maintenance);
    let count = || maintenance.in_flight().count();
    let mut cx = Context::from_waker(Waker::noop());

    let unpolled = MaintenanceMiddleware::new(maintenance.clone()).transform(make(application));
    let call_of_it = unpolled.call(Request::default());
    assert_eq!(count(), 1, "before the first poll");
    drop(call_of_it);
    assert_eq!(count(), 0, "dropped unpolled");

    let mut slow = call(&site, "/slow");
    assert!(slow.as_mut().poll(&mut cx).is_pending());
    assert_eq!(count(), 1, "in the handler");
    drop(slow);
    assert_eq!(count(), 0, "dropped in the handler");

    let response = call(&site, "/stream").await.unwrap();
    let mut body = Box::pin(response.into_body().into_bytes_stream());
    assert_eq!(count(), 1);
    let first = body.as_mut().poll_next(&mut cx);
    assert!(matches!(first, Poll::Ready(Some(Ok(_)))));
    assert_eq!(count(), 1, "half read");
    drop(body);
    assert_eq!(count(), 0, "dropped half read");

    let panics = tokio::spawn({
        let gate = MaintenanceMiddleware::new(maintenance.clone());
        let site = make(application).with(gate);
        async move {
            let request = Request::builder().uri_str("/panic").finish();
            site.call(request).await.is_ok()
        }
    });
    assert!(panics.await.unwrap_err().is_panic());
    assert_eq!(count(), 0, "after a panic");
}

#[tokio::test]
async fn an_error_of_the_application_ends_the_count() {
    let maintenance = maintenance(Config::new()).await;
    let site = site(&maintenance);
    let error = call(&site, "/fails").await.unwrap_err();
    assert_eq!(maintenance.in_flight().count(), 0);
    assert_eq!(error.status(), 418);
}

#[tokio::test]
async fn a_blocked_request_is_not_counted() {
    let maintenance = maintenance(Config::new().mode(Mode::Offline)).await;
    let site = site(&maintenance);
    let response = call(&site, "/").await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(maintenance.in_flight().count(), 0);
}

/// The body that is counted says of itself what the application's says.
#[tokio::test]
async fn the_length_of_a_body_stays_known() {
    let gate = MaintenanceMiddleware::new(maintenance(Config::new()).await);
    let length = make_sync(|_| "five!").with(gate.clone());
    let mut response = length.get_response(Request::default()).await;
    assert!(!response.take_body().is_empty());
    let empty = make_sync(|_| ()).with(gate);
    let mut response = empty.get_response(Request::default()).await;
    assert!(response.take_body().is_empty());
}

/// What comes of so many polls.
fn poll(call: &mut Call<'_>, times: u64) -> Option<Result<Response>> {
    let mut cx = Context::from_waker(Waker::noop());
    (0..times).find_map(|_| match call.as_mut().poll(&mut cx) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    })
}

/// Polls a few times, then drops it, wherever it is.
fn treat(mut call: Call<'_>, dice: &mut Dice) {
    let Some(Ok(response)) = poll(&mut call, dice.roll(6)) else {
        return;
    };
    let mut cx = Context::from_waker(Waker::noop());
    let mut body = pin!(response.into_body().into_bytes_stream());
    for _ in 0..dice.roll(7) {
        let Poll::Ready(Some(_)) = body.as_mut().poll_next(&mut cx) else {
            return;
        };
    }
}

#[tokio::test]
async fn ten_thousand_requests_with_random_ends_leave_nothing_behind() {
    let config = Config::new().allow_role("staff").allow_path("/stream");
    let maintenance = maintenance(config).await;
    let site = site(&maintenance);
    let paths = ["/", "/slow", "/stream", "/breaks", "/fails", "/nowhere"];
    let mut dice = Dice::default();
    let mut most = 0;
    for round in 0..10 {
        switch_for_round(&maintenance, round).await.unwrap();
        let mut held = Vec::new();
        for _ in 0..1000 {
            let path = paths[usize::try_from(dice.roll(6)).unwrap()];
            let mut call = call(&site, path);
            if dice.roll(10) == 0 {
                let result = poll(&mut call, 1);
                held.push((call, result));
            } else {
                treat(call, &mut dice);
            }
        }
        let in_flight = maintenance.in_flight();
        most = most.max(in_flight.count());
        for (call, result) in held {
            if result.is_none() {
                treat(call, &mut dice);
            }
        }
        assert_eq!(in_flight.count(), 0, "round {round}");
    }
    assert!(most > 50, "hardly anything was ever in flight: {most}");
}
