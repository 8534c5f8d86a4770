//! Plain pages, and the control endpoint.

use maintenance_mode::RequestStatus;
use maintenance_mode_example_shop::{User, front_page, public_status, status_lines};
use warp::http::header::CACHE_CONTROL;
use warp::{Filter, Rejection, Reply, reply};

use super::read;
use crate::app::App;

pub(super) fn routes(
    app: &App,
) -> impl Filter<Extract = (impl Reply + use<>,), Error = Rejection> + Clone + Send + Sync + use<> {
    let front = warp::path::end()
        .and(read())
        .and(app.user())
        .and(app.status())
        .and(app.given())
        .map(front);
    let health = warp::path!("healthz").and(read()).map(|| "ok\n");
    // What the status filter says, as text.
    let status_banner = warp::path!("status-banner")
        .and(read())
        .and(app.status())
        .map(|status: RequestStatus| status_lines(&status));
    front.or(health).or(status_banner)
}

// warp hands every extracted value over.
#[expect(clippy::needless_pass_by_value)]
fn front(user: Option<User>, status: RequestStatus, app: App) -> impl Reply {
    reply::html(front_page(user, &app.shop.items(), &status))
}

pub(super) fn always_open()
-> impl Filter<Extract = (&'static str,), Error = Rejection> + Clone + Send + Sync {
    warp::path::end()
        .and(read())
        .map(|| "This page is open in every mode.\n")
}

pub(super) fn always_closed()
-> impl Filter<Extract = (&'static str,), Error = Rejection> + Clone + Send + Sync {
    warp::path::end()
        .and(read())
        .map(|| "Nobody should ever read this.\n")
}

/// Open in every mode.
pub(super) fn control(
    app: &App,
) -> impl Filter<Extract = (impl Reply + use<>,), Error = Rejection> + Clone + Send + Sync + use<> {
    warp::path!("status")
        .and(read())
        .and(app.given())
        .map(|app: App| {
            let status = public_status(&app.maintenance, &app.sessions);
            reply::with_header(reply::json(&status), CACHE_CONTROL, "no-store")
        })
}
