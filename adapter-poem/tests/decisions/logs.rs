//! What loggers see: those of poem and those that look for the verdict.

use std::io;
use std::sync::{Arc, Mutex};

use maintenance_mode::logging::MaintenanceFilter;
use maintenance_mode::{Config, Maintenance, Mode};
use maintenance_mode_poem::{MaintenanceMiddleware, Verdict};
use poem::endpoint::make_sync;
use poem::http::StatusCode;
use poem::middleware::Tracing;
use poem::{Endpoint, EndpointExt, Request, Response, Route};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::{close, closed, maintenance, reached, status};

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(bytes).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A logger that tells maintenance from failure, response by response.
async fn log<E>(site: Arc<E>, request: Request) -> poem::Result<Response>
where
    E: Endpoint<Output = Response>,
{
    let response = site.call(request).await?;
    let verdict = response.data::<Verdict>();
    if verdict.is_none_or(|verdict| !verdict.is_blocked()) && response.status() == 503 {
        tracing::error!("a failure");
    }
    Ok(response)
}

/// An application of which one path answers 503 by itself.
fn broken(maintenance: &Maintenance) -> impl Endpoint<Output = Response> + use<> {
    Route::new()
        .at("/", reached())
        .at("/broken", make_sync(|_| StatusCode::SERVICE_UNAVAILABLE))
        .with(MaintenanceMiddleware::new(maintenance.clone()))
}

/// What the filter of the engine leaves of poem's access log.
#[tokio::test]
async fn d19_the_filter_keeps_maintenance_out_of_poems_log() {
    let written = Log::default();
    let writer = written.clone();
    let filter = MaintenanceFilter::around(LevelFilter::INFO).request_span("request");
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .with_filter(filter);
    let _guard = tracing_subscriber::registry().with(layer).set_default();
    let maintenance = closed(Config::new().allow_path("/broken")).await;
    let site = broken(&maintenance).with(Tracing);
    assert_eq!(status(&site, "/").await, 503);
    assert_eq!(written.take(), "");
    assert_eq!(status(&site, "/broken").await, 503);
    assert!(written.take().contains("response status=503"));
}

#[tokio::test]
async fn d19_loggers_tell_maintenance_from_failure() {
    let written = Log::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let _guard = subscriber.finish().set_default();
    let maintenance = maintenance(Config::new().allow_path("/broken")).await;
    let site = broken(&maintenance).around(log).with(Tracing);

    for mode in [Mode::Online, Mode::Offline] {
        if mode == Mode::Offline {
            close(&maintenance, mode).await;
        }
        written.take();
        assert_eq!(status(&site, "/broken").await, 503);
        assert!(written.take().contains("a failure"), "{mode}");
    }
    assert_eq!(status(&site, "/").await, 503);
    let lines = written.take();
    assert!(!lines.contains("a failure"), "{lines}");
    // poem's own access log has the answer as a response, and not as an error.
    let is_response = lines.contains("response status=503") && lines.contains("uri=/");
    assert!(is_response && !lines.contains("error"), "{lines}");
}
