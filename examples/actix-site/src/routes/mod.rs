//! The site's routes.

mod account;
mod bodies;
mod control;
mod events;
mod items;
mod layout;
mod pages;
mod socket;

pub(crate) use items::Shop;

use actix_web::web::ServiceConfig;

/// Every route. Names matter: the middleware knows some of them.
pub(crate) fn all(site: &mut ServiceConfig) {
    pages::routes(site);
    account::routes(site);
    items::routes(site);
    bodies::routes(site);
    events::routes(site);
    socket::routes(site);
    control::routes(site);
}
