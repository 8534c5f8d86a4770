//! Futures and bodies that are polled, held and dropped by hand.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use actix_http::Request;
use actix_web::body::{BodyStream, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::test::{self, TestRequest};
use actix_web::{App, Error, HttpResponse, error, rt, web};
use futures_util::stream;
use maintenance_mode::{Config, Identity, Maintenance, Mode};
use maintenance_mode_actix::MaintenanceMw;
use maintenance_mode_conformance::in_flight::{Dice, switch_for_round};

use super::maintenance;

async fn site(
    maintenance: &Maintenance,
) -> impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = Error> {
    let middleware = MaintenanceMw::new(maintenance.clone())
        .identify(async |_: &ServiceRequest| {
            rt::task::yield_now().await;
            Identity::anonymous()
        })
        .force_off_named("upgrade");
    let app = App::new()
        .wrap(middleware)
        .route("/", web::get().to(async || "hello"))
        .route(
            "/slow",
            web::get().to(async || {
                rt::task::yield_now().await;
                rt::task::yield_now().await;
                "slow"
            }),
        )
        .route(
            "/stream",
            web::get().to(async || {
                let chunks = (0..4).map(|_| Ok::<_, Error>(web::Bytes::from_static(b"chunk")));
                HttpResponse::Ok().body(BodyStream::new(stream::iter(chunks)))
            }),
        )
        .route(
            "/error",
            web::get().to(async || Err::<&str, _>(error::ErrorImATeapot("tea"))),
        )
        .service(web::resource("/upgrade").name("upgrade").to(async || {
            let silence = stream::pending::<Result<web::Bytes, Error>>();
            HttpResponse::SwitchingProtocols().body(BodyStream::new(silence))
        }));
    test::init_service(app).await
}

fn ask(path: &str) -> Request {
    TestRequest::with_uri(path).to_request()
}

#[actix_web::test]
async fn counted_from_the_call_until_the_body_is_dropped() {
    let maintenance = maintenance(Config::new()).await;
    let site = site(&maintenance).await;
    let counts = || {
        let in_flight = maintenance.in_flight();
        (in_flight.count(), in_flight.upgraded())
    };

    let call = site.call(ask("/slow"));
    assert_eq!(counts(), (1, 0), "before the first poll");
    drop(call);
    assert_eq!(counts(), (0, 0), "dropped unpolled");

    let response = site.call(ask("/stream")).await.unwrap();
    assert_eq!(counts(), (1, 0));
    let (_, body) = response.into_parts().1.into_parts();
    let mut body = Box::pin(body);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(
        body.as_mut().poll_next(&mut cx),
        Poll::Ready(Some(Ok(_)))
    ));
    assert_eq!(counts(), (1, 0), "half read");
    drop(body);
    assert_eq!(counts(), (0, 0), "dropped half read");

    let response = site.call(ask("/error")).await.unwrap();
    assert_eq!((response.status().as_u16(), counts()), (418, (1, 0)));
    drop(response);
    assert_eq!(counts(), (0, 0), "after an error");

    let upgraded = site.call(ask("/upgrade")).await.unwrap();
    assert_eq!(counts(), (0, 1), "upgraded connections count apart");
    drop(upgraded);
    assert_eq!(counts(), (0, 0), "after an upgraded connection");
}

#[actix_web::test]
async fn an_error_that_leaves_the_application_ends_the_count() {
    let maintenance = maintenance(Config::new()).await;
    let app = App::new()
        .wrap_fn(|_, _| std::future::ready(Err::<ServiceResponse, _>(error::ErrorConflict("no"))))
        .wrap(MaintenanceMw::new(maintenance.clone()));
    let site = test::init_service(app).await;
    assert!(site.call(ask("/")).await.is_err());
    assert_eq!(maintenance.in_flight().count(), 0);
}

#[actix_web::test]
async fn a_blocked_request_is_not_counted() {
    let maintenance = maintenance(Config::new().mode(Mode::Offline)).await;
    let site = site(&maintenance).await;
    let response = site.call(ask("/")).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(maintenance.in_flight().count(), 0);
}

/// Polls a few times, then drops it, wherever it is.
async fn treat<F, B>(call: F, dice: &mut Dice)
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    let mut call = pin!(call);
    let mut cx = Context::from_waker(Waker::noop());
    let polls = dice.roll(6);
    let Some(response) = poll_up_to(polls, || call.as_mut().poll(&mut cx)) else {
        return;
    };
    let (_, body) = response.unwrap().into_parts().1.into_parts();
    let mut body = pin!(body);
    let polls = dice.roll(7);
    for _ in 0..polls {
        match body.as_mut().poll_next(&mut cx) {
            Poll::Ready(Some(_)) => {}
            Poll::Ready(None) | Poll::Pending => return,
        }
    }
}

fn poll_up_to<T>(times: u64, mut poll: impl FnMut() -> Poll<T>) -> Option<T> {
    (0..times).find_map(|_| match poll() {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    })
}

#[actix_web::test]
async fn ten_thousand_requests_with_random_ends_leave_nothing_behind() {
    let maintenance = maintenance(Config::new().allow_role("staff").allow_path("/stream")).await;
    let site = site(&maintenance).await;
    let paths = ["/", "/slow", "/stream", "/error", "/upgrade", "/nowhere"];
    let mut dice = Dice::default();
    let mut most = 0;
    for round in 0..10 {
        switch_for_round(&maintenance, round).await.unwrap();
        let mut held: Vec<Pin<Box<dyn Future<Output = _>>>> = Vec::new();
        for _ in 0..1000 {
            let path = paths[usize::try_from(dice.roll(6)).unwrap()];
            let call = site.call(ask(path));
            if dice.roll(10) == 0 {
                held.push(Box::pin(call));
            } else {
                treat(call, &mut dice).await;
            }
        }
        let in_flight = maintenance.in_flight();
        most = most.max(in_flight.count() + in_flight.upgraded());
        for call in held {
            treat(call, &mut dice).await;
        }
        assert_eq!(
            (in_flight.count(), in_flight.upgraded()),
            (0, 0),
            "round {round}"
        );
    }
    assert!(most > 50, "hardly anything was ever in flight: {most}");
}
