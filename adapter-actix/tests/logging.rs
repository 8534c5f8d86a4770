//! What actix's `Logger`, and a logger in spans, tell of blocked requests and of failures.
#![allow(
    clippy::future_not_send,
    reason = "actix keeps a connection on one thread"
)]
#![allow(clippy::unwrap_used)]

use std::io::Write;

use actix_http::Request;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::middleware::Logger;
use actix_web::test::{self, TestRequest};
use actix_web::{App, Error, HttpResponse, web};
use maintenance_mode::logging::MaintenanceFilter;
use maintenance_mode::{Config, Maintenance, Mode};
use maintenance_mode_actix::{MaintenanceMw, Verdict};
use maintenance_mode_conformance::log::Log;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, error, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;

/// A closed site whose `/open` is exempt.
async fn closed() -> MaintenanceMw {
    let config = Config::new().backend("memory:").mode(Mode::Offline);
    MaintenanceMw::new(
        Maintenance::start(config.allow_path("/open"))
            .await
            .unwrap(),
    )
}

async fn fails() -> HttpResponse {
    HttpResponse::ServiceUnavailable().body("broken")
}

/// Asks for a path that is closed, then for the one that fails by itself.
async fn ask<B: MessageBody>(
    site: impl Service<Request, Response = ServiceResponse<B>, Error = Error>,
) {
    for path in ["/", "/open"] {
        let request = TestRequest::with_uri(path).to_request();
        let response = test::call_service(&site, request).await;
        assert_eq!(response.status(), 503, "{path}");
        // `Logger` writes its line when the body has ended.
        test::read_body(response).await;
    }
}

/// The `log` crate's end, as `env_logger` is one.
struct AccessLog(Log);

impl log::Log for AccessLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata
            .target()
            .starts_with("actix_web::middleware::logger")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            writeln!(self.0.clone(), "{}", record.args()).unwrap();
        }
    }

    fn flush(&self) {}
}

#[actix_web::test]
async fn d19_the_access_log_tells_maintenance_from_a_failure() {
    let lines = Log::default();
    log::set_boxed_logger(Box::new(AccessLog(lines.clone()))).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let logger = Logger::new("%U %s %{x-maintenance}o %{maintenance}xo").custom_response_replace(
        "maintenance",
        |response| {
            Verdict::of(response).map_or_else(|| "-".to_owned(), |verdict| verdict.to_string())
        },
    );
    let app = App::new().wrap(closed().await).wrap(logger);
    ask(test::init_service(app.default_service(web::to(fails))).await).await;
    assert_eq!(lines.text(), "/ 503 1 offline\n/open 503 - path\n");
}

#[actix_web::test]
async fn d19_an_alarm_for_errors_is_silent_for_maintenance_alone() {
    let alarm = Log::default();
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(alarm.writer())
        .with_ansi(false)
        .with_filter(MaintenanceFilter::around(LevelFilter::ERROR));
    // Not by the registry itself, which would take the place of the `log` crate's logger, too.
    let subscriber = tracing_subscriber::registry().with(layer);
    let _guard = tracing::subscriber::set_default(subscriber);
    // As tracing-actix-web does it: the request runs in its span, and failures are logged there.
    let app = App::new()
        .wrap(closed().await)
        .wrap_fn(|request: ServiceRequest, next| {
            let path = request.path().to_owned();
            let span = info_span!("request", path, maintenance = tracing::field::Empty);
            let response = span.in_scope(|| next.call(request));
            let logged = async {
                let response = response.await?;
                if response.status().is_server_error() {
                    error!("failed");
                }
                Ok(response)
            };
            logged.instrument(span)
        });
    ask(test::init_service(app.default_service(web::to(fails))).await).await;
    let text = alarm.text();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(r#"request{path="/open"}"#), "{text}");
}
