//! Plain pages, and the control endpoint.

use maintenance_mode::Maintenance;
use maintenance_mode_example_shop::{Sessions, Shop, front_page, public_status, status_lines};
use maintenance_mode_rocket::MaintenanceStatus;
use rocket::response::content::RawHtml;
use rocket::serde::json::Json;
use rocket::{State, get};
use serde_json::Value;

use super::NotStored;
use crate::app::LoggedIn;

#[get("/")]
pub(super) fn front(
    user: LoggedIn,
    status: MaintenanceStatus,
    shop: &State<Shop>,
) -> RawHtml<String> {
    RawHtml(front_page(user.0, &shop.items(), &status))
}

#[get("/healthz")]
pub(super) const fn health() -> &'static str {
    "ok\n"
}

/// What the guard says, as text.
#[get("/status-banner")]
pub(super) fn status_banner(status: MaintenanceStatus) -> String {
    status_lines(&status)
}

#[get("/always-open")]
pub(super) const fn always_open() -> &'static str {
    "This page is open in every mode.\n"
}

#[get("/always-closed")]
pub(super) const fn always_closed() -> &'static str {
    "Nobody should ever read this.\n"
}

/// Open in every mode.
#[get("/maintenance/status")]
pub(super) fn control(
    maintenance: &State<Maintenance>,
    sessions: &State<Sessions>,
) -> NotStored<Json<Value>> {
    NotStored::new(Json(public_status(maintenance, sessions)))
}
