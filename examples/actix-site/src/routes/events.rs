//! An event stream that tells when the site's mode changes.

use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::{StreamExt as _, stream};
use maintenance_mode::Maintenance;
use maintenance_mode_example_shop::ModeEvents;

pub(super) fn routes(site: &mut ServiceConfig) {
    site.route("/events", web::get().to(events));
}

async fn events(request: HttpRequest) -> HttpResponse {
    let Some(maintenance) = request.app_data::<Maintenance>() else {
        return HttpResponse::InternalServerError().finish();
    };
    let events = stream::unfold(ModeEvents::new(maintenance), ModeEvents::next);
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-store"))
        .streaming(events.map(|text| Ok::<_, Error>(Bytes::from(text))))
}
