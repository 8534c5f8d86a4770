//! poem's errors: a block is none, and those of the application are left to whoever catches them.

use maintenance_mode::Config;
use maintenance_mode_poem::{MaintenanceMiddleware, Verdict};
use poem::endpoint::make_sync;
use poem::error::NotFoundError;
use poem::http::StatusCode;
use poem::{Endpoint, EndpointExt, Error, Route};

use super::{closed, get_at, maintenance, reached, status, text};

fn catching(gate: MaintenanceMiddleware) -> impl Endpoint {
    let fails = make_sync(|_| Err::<(), _>(Error::from_status(StatusCode::IM_A_TEAPOT)));
    Route::new()
        .at("/", reached())
        .at("/fails", fails)
        .with(gate)
        .catch_error(async |_: NotFoundError| "there is nothing".to_owned())
        .catch_all_error(async |error: Error| {
            let verdict = error.data::<Verdict>().map(ToString::to_string);
            format!("caught {} {verdict:?}", error.status().as_u16())
        })
}

#[tokio::test]
async fn a_block_is_no_error_that_could_be_rewritten() {
    let site = catching(MaintenanceMiddleware::new(closed(Config::new()).await));
    for path in ["/", "/fails", "/nowhere"] {
        let response = get_at(&site, path).await;
        assert_eq!(response.status(), 503, "{path}");
        assert!(text(response).await.contains("<!doctype html>"), "{path}");
    }
}

#[tokio::test]
async fn errors_of_the_application_reach_whoever_catches_them() {
    let maintenance = maintenance(Config::new()).await;
    let site = catching(MaintenanceMiddleware::new(maintenance.clone()));
    let caught = text(get_at(&site, "/fails").await).await;
    assert_eq!(caught, "caught 418 None");
    let caught = text(get_at(&site, "/nowhere").await).await;
    assert_eq!(caught, "there is nothing");
    assert_eq!(maintenance.in_flight().count(), 0);
}

#[tokio::test]
async fn an_error_bears_the_verdict_and_hands_it_on() {
    let exempt = Config::new().allow_path("/fails");
    let maintenance = closed(exempt).await;
    let site = catching(MaintenanceMiddleware::new(maintenance.clone()));
    let caught = text(get_at(&site, "/fails").await).await;
    assert_eq!(caught, "caught 418 Some(\"path\")");

    let fails = make_sync(|_| Err::<(), _>(Error::from_status(StatusCode::IM_A_TEAPOT)));
    let uncaught = Route::new()
        .at("/fails", fails)
        .with(MaintenanceMiddleware::new(maintenance));
    let response = get_at(&uncaught, "/fails").await;
    assert_eq!(response.status(), 418);
    assert!(!response.data::<Verdict>().unwrap().is_blocked());
    assert_eq!(status(&uncaught, "/").await, 503);
}
