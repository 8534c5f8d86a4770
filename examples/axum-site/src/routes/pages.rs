//! Plain pages, and the control endpoint.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use maintenance_mode_example_shop::{front_page, public_status, status_lines};
use maintenance_mode_tower::MaintenanceStatus;

use crate::app::{App, LoggedIn};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(front))
        .route("/healthz", get(async || "ok\n"))
        .route("/status-banner", get(status_banner))
        .route(
            "/always-open",
            get(async || "This page is open in every mode.\n"),
        )
        .route(
            "/always-closed",
            get(async || "Nobody should ever read this.\n"),
        )
        .route("/maintenance/status", get(control))
}

async fn front(user: LoggedIn, status: MaintenanceStatus, State(app): State<App>) -> Html<String> {
    Html(front_page(user.0, &app.shop.items(), &status))
}

/// What the extractor says, as text.
async fn status_banner(status: MaintenanceStatus) -> String {
    status_lines(&status)
}

/// Open in every mode.
async fn control(State(app): State<App>) -> impl IntoResponse {
    let status = public_status(&app.maintenance, &app.sessions);
    ([(CACHE_CONTROL, "no-store")], Json(status))
}
