//! An event stream that tells when the site's mode changes.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::stream;
use maintenance_mode::live::Changes;
use maintenance_mode_example_shop::{event, mode_in};

use crate::app::App;

/// A comment goes out this often, so that everybody on the way knows the stream to be alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Router<App> {
    Router::new().route("/events", get(events))
}

async fn events(State(app): State<App>) -> impl IntoResponse {
    let first = event(mode_in(&app.maintenance.snapshot()));
    let changes = stream::unfold((Some(first), app.maintenance.changed()), next_event);
    let fields = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
    ];
    (fields, Body::from_stream(changes))
}

/// The mode as it is goes first, then each change.
async fn next_event(
    (first, mut changes): (Option<String>, Changes),
) -> Option<(Result<Bytes, Infallible>, (Option<String>, Changes))> {
    let text = match first {
        Some(first) => first,
        None => match tokio::time::timeout(HEARTBEAT, changes.next()).await {
            Ok(snapshot) => event(mode_in(&*snapshot?)),
            Err(_) => ": still here\n\n".to_owned(),
        },
    };
    Some((Ok(text.into()), (None, changes)))
}
