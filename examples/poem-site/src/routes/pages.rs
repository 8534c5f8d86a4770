//! Plain pages, and the control endpoint.

use maintenance_mode_example_shop::{front_page, public_status, status_lines};
use maintenance_mode_poem::MaintenanceStatus;
use poem::http::header::CACHE_CONTROL;
use poem::web::{Data, Html, Json};
use poem::{IntoResponse, Route, get, handler};

use crate::app::{App, LoggedIn};

pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/", get(front))
        .at("/healthz", get(health))
        .at("/status-banner", get(status_banner))
        .at("/always-open", get(always_open))
        .at("/always-closed", get(always_closed))
        .at("/maintenance/status", get(control))
}

#[handler]
async fn front(user: LoggedIn, status: MaintenanceStatus, app: Data<&App>) -> Html<String> {
    Html(front_page(user.0, &app.shop.items(), &status))
}

#[handler]
fn health() -> &'static str {
    "ok\n"
}

/// What the extractor says, as text.
#[handler]
async fn status_banner(status: MaintenanceStatus) -> String {
    status_lines(&status)
}

#[handler]
fn always_open() -> &'static str {
    "This page is open in every mode.\n"
}

#[handler]
fn always_closed() -> &'static str {
    "Nobody should ever read this.\n"
}

/// Open in every mode.
#[handler]
async fn control(app: Data<&App>) -> impl IntoResponse {
    let status = public_status(&app.maintenance, &app.sessions);
    Json(status).with_header(CACHE_CONTROL, "no-store")
}
