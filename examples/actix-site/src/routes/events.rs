//! An event stream that tells when the site's mode changes.

use std::time::Duration;

use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::stream;
use maintenance_mode::Maintenance;
use maintenance_mode::live::Changes;
use maintenance_mode_example_shop::{event, mode_in};

/// A comment goes out this often, so that everybody on the way knows the stream to be alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) fn routes(site: &mut ServiceConfig) {
    site.route("/events", web::get().to(events));
}

async fn events(request: HttpRequest) -> HttpResponse {
    let Some(maintenance) = request.app_data::<Maintenance>() else {
        return HttpResponse::InternalServerError().finish();
    };
    let first = event(mode_in(&maintenance.snapshot()));
    let changes = stream::unfold((Some(first), maintenance.changed()), next_event);
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-store"))
        .streaming(changes)
}

/// The mode as it is goes first, then each change.
async fn next_event(
    (first, mut changes): (Option<String>, Changes),
) -> Option<(Result<Bytes, Error>, (Option<String>, Changes))> {
    let text = match first {
        Some(first) => first,
        None => match tokio::time::timeout(HEARTBEAT, changes.next()).await {
            Ok(snapshot) => event(mode_in(&*snapshot?)),
            Err(_) => ": still here\n\n".to_owned(),
        },
    };
    Some((Ok(text.into()), (None, changes)))
}
