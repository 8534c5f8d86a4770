//! An event stream that tells when the site's mode changes.

use std::io;

use futures_util::{StreamExt as _, stream};
use maintenance_mode_example_shop::ModeEvents;
use poem::http::header::CACHE_CONTROL;
use poem::web::Data;
use poem::{Body, IntoResponse, Route, get, handler};

use crate::app::App;

pub(super) fn add_to(routes: Route) -> Route {
    routes.at("/events", get(events))
}

#[handler]
async fn events(app: Data<&App>) -> impl IntoResponse {
    let events = stream::unfold(ModeEvents::new(&app.maintenance), ModeEvents::next);
    Body::from_bytes_stream(events.map(Ok::<_, io::Error>))
        .with_content_type("text/event-stream")
        .with_header(CACHE_CONTROL, "no-store")
}
