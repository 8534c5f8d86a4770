//! What is logged about maintenance, and what the engine's filter leaves of it.
//!
//! One test, in a process of its own: which events are made at all is settled for a whole process.
#![allow(clippy::unwrap_used)]

use std::io;
use std::sync::{Arc, Mutex};

use maintenance_mode::logging::MaintenanceFilter;
use maintenance_mode::{Config, Maintenance, Mode, On, SiteName};
use maintenance_mode_poem::{MaintenanceMiddleware, Verdict};
use poem::endpoint::make_sync;
use poem::http::StatusCode;
use poem::middleware::Tracing;
use poem::{Endpoint, EndpointExt, Request, Response, Route};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

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

/// What a handler says at `path`.
async fn status(site: &impl Endpoint, path: &str) -> StatusCode {
    let request = Request::builder().uri_str(path).finish();
    site.get_response(request).await.status()
}

#[tokio::test]
async fn d19_maintenance_is_told_from_failure() {
    let (all, filtered) = (Log::default(), Log::default());
    let (to_all, to_filtered) = (all.clone(), filtered.clone());
    let filter = MaintenanceFilter::around(LevelFilter::INFO).request_span("request");
    let log_layer = tracing_subscriber::fmt::layer().with_ansi(false);
    let alarm_layer = tracing_subscriber::fmt::layer().with_ansi(false);
    let _guard = tracing_subscriber::registry()
        .with(
            log_layer
                .with_writer(move || to_all.clone())
                .with_filter(LevelFilter::INFO),
        )
        .with(
            alarm_layer
                .with_writer(move || to_filtered.clone())
                .with_filter(filter),
        )
        .set_default();
    let config = Config::new().backend("memory:").allow_path("/broken");
    let maintenance = Maintenance::start(config).await.unwrap();
    let site = Route::new()
        .at("/", make_sync(|_| "hello"))
        .at("/broken", make_sync(|_| StatusCode::SERVICE_UNAVAILABLE))
        .with(MaintenanceMiddleware::new(maintenance.clone()))
        .around(log)
        .with(Tracing);

    for mode in [Mode::Online, Mode::Offline] {
        if mode == Mode::Offline {
            let order = On::mode(mode);
            let sites = [SiteName::default()];
            maintenance.on(&sites, &order).await.unwrap();
        }
        all.take();
        filtered.take();
        assert_eq!(status(&site, "/broken").await, 503);
        let alarm = filtered.take();
        let is_whole = alarm.contains("a failure") && alarm.contains("response status=503");
        assert!(is_whole, "{mode}: {alarm}");
    }
    all.take();
    assert_eq!(status(&site, "/").await, 503);
    assert_eq!(filtered.take(), "");
    // poem's own access log has the answer as a response, and not as an error.
    let lines = all.take();
    let is_response = lines.contains("response status=503") && lines.contains("uri=/");
    assert!(is_response && !lines.contains("error"), "{lines}");
    assert!(!lines.contains("a failure"), "{lines}");
}
