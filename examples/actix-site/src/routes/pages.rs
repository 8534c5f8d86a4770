//! Plain pages.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use maintenance_mode_actix::MaintenanceStatus;

use super::Shop;
use super::layout::{banner, escape, page};
use crate::session::user_of;

pub(super) fn routes(site: &mut ServiceConfig) {
    site.route("/", web::get().to(front))
        .route("/healthz", web::get().to(async || "ok\n"))
        .route("/status-banner", web::get().to(status_banner))
        .service(
            web::resource("/always-open")
                .name("always-open")
                .get(async || "This page is open in every mode.\n"),
        )
        .service(
            web::resource("/always-closed")
                .name("always-closed")
                .get(async || "Nobody should ever read this.\n"),
        );
}

async fn front(
    request: HttpRequest,
    maintenance: MaintenanceStatus,
    shop: Data<Shop>,
) -> HttpResponse {
    let greeting = user_of(&request).map_or_else(
        || "Welcome!".to_owned(),
        |user| format!("Welcome back, {}!", user.name()),
    );
    let items: String = shop
        .items()
        .iter()
        .map(|item| format!("<li>{}</li>", escape(&item.name)))
        .collect();
    let body = format!("<p>{greeting} Today on our shelves:</p><ul>{items}</ul>");
    page(StatusCode::OK, "Welcome", &maintenance, &body)
}

/// What the extractor says, as text.
async fn status_banner(maintenance: MaintenanceStatus) -> impl Responder {
    let ends_at = maintenance.ends_at().map(|at| at.to_string());
    let lines = [
        ("site", maintenance.site().to_string()),
        ("mode", maintenance.mode().to_string()),
        ("reason", maintenance.reason().to_string()),
        (
            "message",
            maintenance.message().map_or("-", |m| m.as_str()).to_owned(),
        ),
        ("ends_at", ends_at.unwrap_or_else(|| "-".to_owned())),
        (
            "banner",
            banner(&maintenance).unwrap_or_else(|| "-".to_owned()),
        ),
    ];
    lines
        .iter()
        .map(|(key, value)| format!("{key}: {value}\n"))
        .collect::<String>()
}
