//! The site's routes.

mod account;
mod bodies;
mod events;
mod items;
mod pages;
mod socket;

use poem::Route;

/// Every route. Some paths matter: the maintenance gate knows them.
pub(crate) fn all() -> Route {
    let routes = pages::add_to(Route::new());
    let routes = account::add_to(routes);
    let routes = items::add_to(routes);
    let routes = bodies::add_to(routes);
    let routes = events::add_to(routes);
    socket::add_to(routes)
}
