//! Control endpoints. They are open in every mode, and known to the middleware by their names.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use maintenance_mode::Maintenance;
use maintenance_mode_example_shop::public_status;

pub(super) fn routes(site: &mut ServiceConfig) {
    site.service(
        web::resource("/maintenance/status")
            .name("maintenance-status")
            .get(status),
    );
}

async fn status(request: HttpRequest) -> HttpResponse {
    let Some(maintenance) = request.app_data::<Maintenance>() else {
        return HttpResponse::InternalServerError().finish();
    };
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(public_status(&maintenance.snapshot()))
}
