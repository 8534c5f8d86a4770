//! An event stream that tells when the site's mode changes.

use futures_util::{Stream, stream};
use maintenance_mode::Maintenance;
use maintenance_mode_example_shop::ModeEvents;
use rocket::http::ContentType;
use rocket::response::stream::TextStream;
use rocket::{State, get};

use super::NotStored;

#[get("/events")]
pub(super) fn events(
    maintenance: &State<Maintenance>,
) -> NotStored<(ContentType, TextStream<impl Stream<Item = String>>)> {
    let events = stream::unfold(ModeEvents::new(maintenance), ModeEvents::next);
    NotStored::new((ContentType::EventStream, TextStream(events)))
}
