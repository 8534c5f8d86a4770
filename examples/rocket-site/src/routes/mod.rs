//! The site's routes.
#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket's handlers own what guards give them"
)]

mod account;
mod bodies;
mod events;
mod items;
mod pages;
mod socket;

use maintenance_mode_rocket::{control, force_off, force_on};
use rocket::{Build, Responder, Rocket, routes};

pub(crate) fn mount(site: Rocket<Build>) -> Rocket<Build> {
    site.mount("/", control(routes![pages::control]))
        .mount("/", force_off(routes![pages::always_open]))
        .mount("/", force_on(routes![pages::always_closed]))
        .mount(
            "/",
            routes![pages::front, pages::health, pages::status_banner],
        )
        .mount("/", routes![account::log_in_form, account::log_in])
        .mount(
            "/",
            routes![account::log_out_form, account::log_out, account::admin],
        )
        .mount("/", routes![items::list, items::add])
        .mount(
            "/",
            routes![bodies::slow, bodies::upload, bodies::long_body],
        )
        .mount("/", routes![events::events, socket::open])
}

/// What must not be kept by anybody on the way.
#[derive(Responder)]
struct NotStored<T> {
    inner: T,
    cache_control: CacheControl,
}

impl<T> NotStored<T> {
    const fn new(inner: T) -> Self {
        Self {
            inner,
            cache_control: CacheControl,
        }
    }
}

struct CacheControl;

impl From<CacheControl> for rocket::http::Header<'static> {
    fn from(_: CacheControl) -> Self {
        Self::new("Cache-Control", "no-store")
    }
}
