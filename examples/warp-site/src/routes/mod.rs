//! The site's routes.

mod account;
mod bodies;
mod events;
mod items;
mod pages;
mod socket;

use warp::reply::Response;
use warp::{Filter, Rejection};

use crate::app::App;

/// Every route, with maintenance around it.
///
/// What is open or closed in every mode stands beside the guard, each behind its path.
pub(crate) fn all(
    app: &App,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + use<> {
    let maintenance = &app.filters;
    let always_open = warp::path("always-open").and(maintenance.force_off(pages::always_open()));
    let control = warp::path!("maintenance" / ..).and(maintenance.control(pages::control(app)));
    let always_closed =
        warp::path("always-closed").and(maintenance.force_on(pages::always_closed()));
    let shop = pages::routes(app)
        .or(account::routes(app))
        .or(items::routes(app))
        .or(bodies::routes())
        .or(events::routes(app))
        .or(socket::routes(app));
    always_open
        .or(control)
        .unify()
        .or(always_closed)
        .unify()
        .or(maintenance.guard(shop))
        .unify()
}

/// Pages are read by GET and by HEAD.
fn read() -> impl Filter<Extract = (), Error = Rejection> + Copy {
    warp::get().or(warp::head()).unify()
}
