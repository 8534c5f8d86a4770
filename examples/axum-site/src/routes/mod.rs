//! The site's routes.

mod account;
mod bodies;
mod events;
mod items;
mod pages;
mod socket;

use axum::Router;

use crate::app::App;

/// Every route. Templates matter: the maintenance layer knows some of them.
pub(crate) fn all() -> Router<App> {
    Router::new()
        .merge(pages::routes())
        .merge(account::routes())
        .merge(items::routes())
        .merge(bodies::routes())
        .merge(events::routes())
        .merge(socket::routes())
}
