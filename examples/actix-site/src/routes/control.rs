//! Control endpoints. They are open in every mode, and known to the middleware by their names.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use maintenance_mode::Maintenance;
use maintenance_mode_example_shop::{Sessions, public_status};

pub(super) fn routes(site: &mut ServiceConfig) {
    site.service(
        web::resource("/maintenance/status")
            .name("maintenance-status")
            .get(status),
    );
}

async fn status(request: HttpRequest) -> HttpResponse {
    let sessions = request.app_data::<web::Data<Sessions>>();
    let (Some(maintenance), Some(sessions)) = (request.app_data::<Maintenance>(), sessions) else {
        return HttpResponse::InternalServerError().finish();
    };
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(public_status(maintenance, sessions))
}
