//! The site's routes.

mod account;
mod bodies;
mod events;
mod items;
mod pages;
mod socket;

use poem::Route;

use crate::app::App;

/// Every route.
pub(crate) fn all(app: &App) -> Route {
    let routes = pages::add_to(Route::new(), app);
    let routes = account::add_to(routes);
    let routes = items::add_to(routes);
    let routes = bodies::add_to(routes);
    let routes = events::add_to(routes);
    socket::add_to(routes)
}
