//! What access logs and alarms hear of blocked requests and of failures.

use std::io::Write;

use maintenance_mode::logging::MaintenanceFilter;
use maintenance_mode::{Config, Maintenance, Mode};
use maintenance_mode_conformance::log::Log;
use maintenance_mode_warp::{Line, MaintenanceFilters, log};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

use super::{close, closed, maintenance, open, request};

/// Everything fails.
fn failing(
    maintenance: &Maintenance,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + use<> {
    let fails = warp::any().map(|| StatusCode::SERVICE_UNAVAILABLE);
    MaintenanceFilters::new(maintenance.clone()).guard(fails)
}

/// Asks for a path that is closed, then for an exempt one.
async fn ask<F, R>(site: &F)
where
    F: Filter<Extract = (R,), Error = Rejection> + 'static,
    R: Reply + Send,
{
    for path in ["/", "/open"] {
        assert_eq!(request(path).reply(site).await.status(), 503, "{path}");
    }
}

#[tokio::test]
async fn d19_the_access_log_tells_maintenance_from_failure_response_by_response() {
    let maintenance = maintenance(Config::new().allow_path("/open")).await;
    let lines = Log::default();
    let write = lines.clone();
    let site = log(failing(&maintenance), move |line: Line<'_>| {
        let verdict = line.verdict.map_or("-".to_owned(), ToString::to_string);
        let (method, path, status) = (line.method, line.path, line.status.as_u16());
        writeln!(write.clone(), "{method} {path} {status} {verdict}").unwrap();
    });
    ask(&site).await;
    close(&maintenance, Mode::Offline).await;
    ask(&site).await;
    open(&maintenance).await;
    ask(&site).await;
    assert_eq!(
        lines.text(),
        "GET / 503 -\nGET /open 503 -\nGET / 503 offline\nGET /open 503 path\n\
         GET / 503 -\nGET /open 503 -\n"
    );
}

/// What is documented of it; the span tells more, see below.
#[tokio::test]
async fn d19_warps_own_log_sees_the_status_alone() {
    let lines = Log::default();
    let write = lines.clone();
    let custom = warp::log::custom(move |info: warp::log::Info<'_>| {
        writeln!(write.clone(), "{} {}", info.path(), info.status()).unwrap();
    });
    let maintenance = closed(Config::new().allow_path("/open")).await;
    ask(&failing(&maintenance).with(custom)).await;
    let expected = "/ 503 Service Unavailable\n/open 503 Service Unavailable\n";
    assert_eq!(lines.text(), expected);
}

/// What an alarm for errors hears of warp's tracing.
async fn alarms<W>(filter: MaintenanceFilter, spans: warp::trace::Trace<W>) -> String
where
    W: Fn(warp::trace::Info<'_>) -> tracing::Span + Clone + Send + Sync + 'static,
{
    let alarm = Log::default();
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(alarm.writer())
        .with_ansi(false)
        .with_filter(filter);
    let _guard = tracing_subscriber::registry().with(layer).set_default();
    let maintenance = closed(Config::new().allow_path("/open")).await;
    ask(&failing(&maintenance).with(spans)).await;
    alarm.text()
}

#[tokio::test]
async fn d19_an_alarm_for_errors_is_silent_for_maintenance_alone() {
    let errors = || MaintenanceFilter::around(LevelFilter::ERROR);
    let with_field = warp::trace(|info| {
        let path = info.path().to_owned();
        tracing::info_span!("http", path, maintenance = tracing::field::Empty)
    });
    let text = alarms(errors(), with_field).await;
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("http{path=\"/open\"}: warp"), "{text}");

    // warp's own span has no such field; it is known by its name.
    let theirs = warp::trace::request;
    let text = alarms(errors().request_span("request"), theirs()).await;
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("path=/open"), "{text}");
    let text = alarms(errors(), theirs()).await;
    assert_eq!(text.lines().count(), 2, "{text}");
}
