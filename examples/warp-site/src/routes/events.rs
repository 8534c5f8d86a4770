//! An event stream that tells when the site's mode changes.

use std::convert::Infallible;

use futures_util::{StreamExt as _, stream};
use maintenance_mode_example_shop::ModeEvents;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use warp::{Filter, Rejection, Reply, reply};

use super::read;
use crate::app::App;

pub(super) fn routes(
    app: &App,
) -> impl Filter<Extract = (impl Reply + use<>,), Error = Rejection> + Clone + Send + Sync + use<> {
    warp::path!("events")
        .and(read())
        .and(app.given())
        .map(|app: App| {
            let events = stream::unfold(ModeEvents::new(&app.maintenance), ModeEvents::next);
            let body = reply::stream(events.map(Ok::<_, Infallible>));
            let body = reply::with_header(body, CONTENT_TYPE, "text/event-stream");
            reply::with_header(body, CACHE_CONTROL, "no-store")
        })
}
