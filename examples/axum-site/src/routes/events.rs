//! An event stream that tells when the site's mode changes.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::{StreamExt as _, stream};
use maintenance_mode_example_shop::ModeEvents;

use crate::app::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/events", get(events))
}

async fn events(State(app): State<App>) -> impl IntoResponse {
    let events = stream::unfold(ModeEvents::new(&app.maintenance), ModeEvents::next);
    let fields = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
    ];
    (fields, Body::from_stream(events.map(Ok::<_, Infallible>)))
}
