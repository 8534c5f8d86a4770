//! What access logs see.

use std::sync::{Arc, Mutex};

use maintenance_mode::Config;
use maintenance_mode_warp::{Line, MaintenanceFilters, log};
use warp::Filter;
use warp::http::StatusCode;

use super::{close, closed, maintenance, open, request, routes, site};

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn write(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[tokio::test]
async fn d19_a_log_tells_maintenance_from_failure_response_by_response() {
    let maintenance = maintenance(Config::new().allow_path("/open")).await;
    let filters = MaintenanceFilters::new(maintenance.clone());
    let broken = warp::path!("broken").map(|| StatusCode::SERVICE_UNAVAILABLE);
    let lines = Lines::default();
    let written = lines.clone();
    let site = log(filters.guard(broken.or(routes())), move |line: Line<'_>| {
        let verdict = line.verdict.map_or("-".to_owned(), ToString::to_string);
        let blocked = line
            .verdict
            .is_some_and(maintenance_mode_warp::Verdict::is_blocked);
        let status = line.status.as_u16();
        let path = line.path;
        written.write(format!(
            "{} {path} {status} {verdict} {blocked}",
            line.method
        ));
    });
    let ask = async || {
        for path in ["/", "/open?x", "/broken"] {
            request(path).reply(&site).await;
        }
        lines.take()
    };
    let while_open = [
        "GET / 200 - false",
        "GET /open 200 - false",
        "GET /broken 503 - false",
    ];
    assert_eq!(ask().await, while_open);
    close(&maintenance, maintenance_mode::Mode::Offline).await;
    assert_eq!(
        ask().await,
        [
            "GET / 503 offline true",
            "GET /open 200 path false",
            "GET /broken 503 offline true"
        ]
    );
    open(&maintenance).await;
    assert_eq!(ask().await, while_open);
}

/// `warp::log` sees the status and nothing else of a response.
#[tokio::test]
async fn d19_warps_own_log_sees_the_status() {
    let lines = Lines::default();
    let written = lines.clone();
    let custom = warp::log::custom(move |info: warp::log::Info<'_>| {
        written.write(format!("{} {}", info.path(), info.status().as_u16()));
    });
    let filters = MaintenanceFilters::new(closed(Config::new()).await);
    let site = site(&filters).with(custom);
    request("/cart").reply(&site).await;
    assert_eq!(lines.take(), ["/cart 503"]);
}
