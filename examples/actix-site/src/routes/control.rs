//! Control endpoints. They are open in every mode, and known to the middleware by their names.

use std::time::SystemTime;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use maintenance_mode::{Maintenance, Timestamp};
use serde_json::{Value, json};

pub(super) fn routes(site: &mut ServiceConfig) {
    site.service(
        web::resource("/maintenance/status")
            .name("maintenance-status")
            .get(status),
    );
}

/// What everybody may know: not where the state is kept, nor who switched.
async fn status(request: HttpRequest) -> HttpResponse {
    let Some(maintenance) = request.app_data::<Maintenance>() else {
        return HttpResponse::InternalServerError().finish();
    };
    let snapshot = maintenance.snapshot();
    let now = Timestamp::from(SystemTime::now());
    let sites: Vec<Value> = snapshot
        .policy()
        .site_names()
        .filter_map(|name| {
            let site = snapshot.site(name, now)?;
            Some(json!({
                "site": name,
                "mode": site.mode,
                "message": site.message,
                "ends_at": site.ends_at,
                "next_change_at": site.next.map(|(at, _)| at),
                "next_mode": site.next.map(|(_, mode)| mode),
            }))
        })
        .collect();
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({ "revision": snapshot.state().map_or(0, |state| state.revision), "sites": sites }))
}
