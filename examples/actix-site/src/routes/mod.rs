//! The site's routes.

mod account;
mod bodies;
mod control;
mod events;
mod items;
mod pages;
mod socket;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
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

/// A response with a page.
fn html(status: StatusCode, page: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type(ContentType::html())
        .body(page)
}
