//! Plain pages.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use maintenance_mode_actix::MaintenanceStatus;
use maintenance_mode_example_shop::{Shop, front_page, status_lines};

use super::html;
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
    let page = front_page(user_of(&request), &shop.items(), &maintenance);
    html(StatusCode::OK, page)
}

/// What the extractor says, as text.
async fn status_banner(maintenance: MaintenanceStatus) -> impl Responder {
    status_lines(&maintenance)
}
