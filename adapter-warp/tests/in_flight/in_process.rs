//! Futures and bodies that are polled, held and dropped by hand.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::stream;
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use maintenance_mode::{Config, Identity, Maintenance, Mode};
use maintenance_mode_conformance::in_flight::{Dice, switch_for_round};
use maintenance_mode_warp::MaintenanceFilters;
use tower_service::Service;
use warp::http::{Request, StatusCode};
use warp::reply::Response;
use warp::{Filter, Rejection, Reply, reply};

use super::maintenance;

type Call = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

fn application() -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone + Send + Sync {
    let front = warp::path::end().map(|| "hello");
    let empty = warp::path!("empty").map(|| StatusCode::NO_CONTENT);
    let slow = warp::path!("slow").then(async || {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        "slow"
    });
    let chunk = || Ok::<_, io::Error>(Bytes::from_static(b"chunk"));
    let chunks = warp::path!("stream")
        .map(move || reply::stream(stream::iter([chunk(), chunk(), chunk(), chunk()])));
    let breaks = warp::path!("breaks")
        .map(move || reply::stream(stream::iter([chunk(), Err(io::Error::other("broken"))])));
    let panics = warp::path!("panic")
        .map(|| -> &'static str { std::panic::resume_unwind(Box::new("a handler that panics")) });
    front.or(empty).or(slow).or(chunks).or(breaks).or(panics)
}

/// What makes calls.
fn site(maintenance: &Maintenance) -> impl FnMut(&str) -> Call {
    let filters = MaintenanceFilters::new(maintenance.clone()).identify(async |_| {
        tokio::task::yield_now().await;
        Identity::anonymous()
    });
    let mut service = warp::service(filters.guard(application()));
    move |path| {
        let request = Request::get(path).body(Empty::<Bytes>::new()).unwrap();
        Box::pin(service.call(request))
    }
}

#[tokio::test]
async fn counted_until_the_body_is_dropped() {
    let maintenance = maintenance(Config::new()).await;
    let mut call = site(&maintenance);
    let count = || maintenance.in_flight().count();
    let mut cx = Context::from_waker(Waker::noop());

    let mut slow = call("/slow");
    assert!(slow.as_mut().poll(&mut cx).is_pending());
    assert_eq!(count(), 1, "in the handler");
    drop(slow);
    assert_eq!(count(), 0, "dropped in the handler");

    for path in ["/", "/stream"] {
        let mut body = Box::pin(call(path).await.unwrap().into_body());
        assert_eq!(count(), 1, "{path}");
        let first = body.as_mut().poll_frame(&mut cx);
        assert!(matches!(first, Poll::Ready(Some(Ok(_)))));
        assert_eq!(count(), 1, "half read: {path}");
        drop((first, body));
        assert_eq!(count(), 0, "dropped half read: {path}");
    }
    let nothing = call("/empty").await.unwrap();
    assert_eq!(count(), 0, "there is no body to come");
    drop(nothing);

    assert_eq!(call("/nowhere").await.unwrap().status(), 404);
    assert_eq!(count(), 0, "after a rejection");
    assert!(tokio::spawn(call("/panic")).await.unwrap_err().is_panic());
    assert_eq!(count(), 0, "after a panic");
}

/// Says of how many requests it knew when it was dropped.
struct Witness(Maintenance, Arc<AtomicU64>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.1.store(self.0.in_flight().count(), Ordering::Relaxed);
    }
}

/// The crate's page says so: warp drops what a filter has extracted before the next filter's future.
#[tokio::test]
async fn a_stopped_handler_is_dropped_right_after_its_count_has_ended() {
    let maintenance = maintenance(Config::new()).await;
    let seen = Arc::new(AtomicU64::new(u64::MAX));
    let handler = {
        let (maintenance, seen) = (maintenance.clone(), Arc::clone(&seen));
        warp::any().then(move || {
            let witness = Witness(maintenance.clone(), Arc::clone(&seen));
            async move {
                tokio::task::yield_now().await;
                drop(witness);
                "done"
            }
        })
    };
    let mut service = warp::service(MaintenanceFilters::new(maintenance).guard(handler));
    let mut call = || Box::pin(service.call(Request::new(Empty::<Bytes>::new())));
    call().await.unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 1, "at the handler's own end");
    let mut stopped = call();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(stopped.as_mut().poll(&mut cx).is_pending());
    drop(stopped);
    assert_eq!(
        seen.load(Ordering::Relaxed),
        0,
        "warp does it the other way round now"
    );
}

/// The server must still know how long a body is.
#[tokio::test]
async fn a_whole_body_keeps_its_length_and_a_stream_its_pieces() {
    let maintenance = maintenance(Config::new()).await;
    let mut call = site(&maintenance);
    let whole = call("/").await.unwrap().into_body();
    assert_eq!(whole.size_hint().exact(), Some(5));
    assert_eq!(whole.collect().await.unwrap().to_bytes(), "hello");
    let empty = call("/empty").await.unwrap().into_body();
    assert!(empty.is_end_stream());
    let mut pieces = call("/stream").await.unwrap().into_body();
    for _ in 0..4 {
        let piece = pieces.frame().await.unwrap().unwrap();
        assert_eq!(piece.into_data().unwrap(), "chunk");
    }
    assert!(pieces.frame().await.is_none());
    let broken = call("/breaks").await.unwrap().into_body();
    assert!(broken.collect().await.is_err());
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
    let paths = ["/", "/empty", "/slow", "/stream", "/breaks", "/nowhere"];
    let mut dice = Dice::default();
    let mut most = 0;
    for round in 0..10 {
        switch_for_round(&maintenance, round).await.unwrap();
        let mut held = Vec::new();
        for _ in 0..1000 {
            let mut call = call(paths[usize::try_from(dice.roll(6)).unwrap()]);
            if dice.roll(10) == 0 {
                // It is on its way, or done and not taken.
                let mut cx = Context::from_waker(Waker::noop());
                let response = call.as_mut().poll(&mut cx);
                held.push((call, response));
            } else {
                treat(call, &mut dice);
            }
        }
        let in_flight = maintenance.in_flight();
        most = most.max(in_flight.count());
        for (call, response) in held {
            if response.is_pending() {
                treat(call, &mut dice);
            }
        }
        assert_eq!(in_flight.count(), 0, "round {round}");
    }
    assert!(most > 50, "hardly anything was ever in flight: {most}");
}
