//! An event stream that tells when the site's mode changes.

use std::time::{Duration, SystemTime};

use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::stream;
use maintenance_mode::live::Changes;
use maintenance_mode::{Maintenance, Mode, SiteName, Snapshot, Timestamp};

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
    (first, mut changes): (Option<Bytes>, Changes),
) -> Option<(Result<Bytes, Error>, (Option<Bytes>, Changes))> {
    let bytes = match first {
        Some(first) => first,
        None => match tokio::time::timeout(HEARTBEAT, changes.next()).await {
            Ok(snapshot) => event(mode_in(&*snapshot?)),
            Err(_) => Bytes::from_static(b": still here\n\n"),
        },
    };
    Some((Ok(bytes), (None, changes)))
}

fn event(mode: Mode) -> Bytes {
    Bytes::from(format!("event: mode\ndata: {mode}\n\n"))
}

/// The mode of the default site now.
pub(super) fn mode_in(snapshot: &Snapshot) -> Mode {
    let now = Timestamp::from(SystemTime::now());
    snapshot
        .site(&SiteName::default(), now)
        .map_or(Mode::Online, |site| site.mode)
}
