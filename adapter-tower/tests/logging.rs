//! What tower-http's `TraceLayer` logs of blocked requests and of failures.
#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use maintenance_mode::logging::MaintenanceFilter;
use maintenance_mode::{Config, Maintenance, Mode};
use maintenance_mode_conformance::log::Log;
use maintenance_mode_tower::{MaintenanceLayer, MakeMaintenanceClassifier};
use tower::ServiceExt;
use tower_http::classify::MakeClassifier;
use tower_http::trace::{MakeSpan, TraceLayer};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

/// A closed site whose `/open` is exempt, and fails.
async fn site() -> Router {
    let config = Config::new().backend("memory:").mode(Mode::Offline);
    let maintenance = Maintenance::start(config.allow_path("/open"))
        .await
        .unwrap();
    let failing = || {
        let grpc = [("content-type", "application/grpc"), ("grpc-status", "14")];
        any(
            async move |headers: HeaderMap| match headers.get("content-type") {
                Some(_) => (StatusCode::OK, HeaderMap::from_iter(grpc.map(field)), ""),
                None => (StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new(), "broken"),
            },
        )
    };
    Router::new()
        .route("/", failing())
        .route("/open", failing())
        .layer(MaintenanceLayer::new(maintenance))
}

fn field((name, value): (&'static str, &'static str)) -> (http::HeaderName, http::HeaderValue) {
    (
        http::HeaderName::from_static(name),
        http::HeaderValue::from_static(value),
    )
}

/// Asks for each path, and says what was logged.
async fn logged(site: Router, content_type: Option<&str>, log: Log) -> String {
    for path in ["/", "/open"] {
        let mut request = Request::post(path);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = site.clone().oneshot(request).await.unwrap();
        let expected = if content_type.is_some() { 200 } else { 503 };
        assert_eq!(response.status(), expected, "{path}");
        response.into_body().collect().await.unwrap();
    }
    log.text()
}

/// A subscriber with one layer behind this filter, for this thread.
fn subscribe(filter: impl Filter<Registry> + Send + Sync + 'static) -> (Log, impl Drop) {
    let log = Log::default();
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(log.writer())
        .with_ansi(false)
        .with_filter(filter);
    let guard = tracing_subscriber::registry().with(layer).set_default();
    (log, guard)
}

/// What is logged as failures with this classifier.
async fn failures<M>(classifier: M, content_type: Option<&str>) -> Vec<String>
where
    M: MakeClassifier + Clone + Send + Sync + 'static,
    M::Classifier: Clone + Send + Sync + 'static,
    M::ClassifyEos: Send + 'static,
    M::FailureClass: std::fmt::Display + Send + 'static,
{
    let (log, _guard) = subscribe(LevelFilter::DEBUG);
    let traced = site().await.layer(TraceLayer::new(classifier));
    let text = logged(traced, content_type, log).await;
    let failures = text.lines().filter(|line| line.contains("response failed"));
    failures.map(str::to_owned).collect()
}

#[tokio::test]
async fn d19_a_503_of_maintenance_is_no_failure_and_one_of_the_application_is() {
    let theirs = tower_http::classify::ServerErrorsAsFailures::make_classifier();
    assert_eq!(failures(theirs, None).await.len(), 2);
    let failures = failures(MakeMaintenanceClassifier::http(), None).await;
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("uri=/open"), "{failures:?}");
    assert!(failures[0].contains("503"), "{failures:?}");
}

#[tokio::test]
async fn d19_unavailable_of_maintenance_is_no_failure_and_of_a_service_is() {
    const GRPC: Option<&str> = Some("application/grpc");
    let theirs = tower_http::classify::GrpcErrorsAsFailures::make_classifier();
    assert_eq!(failures(theirs, GRPC).await.len(), 2);
    let failures = failures(MakeMaintenanceClassifier::grpc(), GRPC).await;
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("uri=/open"), "{failures:?}");
}

/// What an alarm for errors hears from a `TraceLayer` that knows nothing of maintenance.
async fn alarms<S>(filter: MaintenanceFilter, make_span: S) -> String
where
    S: MakeSpan<Body> + Clone + Send + Sync + 'static,
{
    let (log, _guard) = subscribe(filter);
    let trace = TraceLayer::new_for_http().make_span_with(make_span);
    logged(site().await.layer(trace), None, log).await
}

#[tokio::test]
async fn d19_an_alarm_for_errors_is_silent_for_maintenance_alone() {
    let with_field = |request: &Request<Body>| {
        let uri = request.uri();
        tracing::info_span!("http", %uri, maintenance = tracing::field::Empty)
    };
    let errors = || MaintenanceFilter::around(LevelFilter::ERROR);
    let text = alarms(errors(), with_field).await;
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("http{uri=/open}: tower_http"), "{text}");

    // tower-http's own span has no such field; it is known by its name.
    let theirs = tower_http::trace::DefaultMakeSpan::new;
    let text = alarms(errors().request_span("request"), theirs()).await;
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("uri=/open"), "{text}");
    let text = alarms(errors(), theirs()).await;
    assert_eq!(text.lines().count(), 2, "{text}");
}
