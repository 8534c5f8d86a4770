//! A small JSON interface.

use maintenance_mode_example_shop::NewItem;
use serde_json::json;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Rejection, Reply, reply};

use super::read;
use crate::app::App;

/// The largest item, in bytes.
const LARGEST: u64 = 4096;

pub(super) fn routes(
    app: &App,
) -> impl Filter<Extract = (impl Reply + use<>,), Error = Rejection> + Clone + Send + Sync + use<> {
    let list = warp::path!("api" / "items")
        .and(read())
        .and(app.given())
        .map(|app: App| reply::json(&json!({ "items": app.shop.items() })));
    let add = warp::path!("api" / "items")
        .and(warp::post())
        .and(warp::body::content_length_limit(LARGEST))
        .and(warp::body::json())
        .and(app.given())
        .map(add);
    list.or(add)
}

// warp hands every extracted value over.
#[expect(clippy::needless_pass_by_value)]
fn add(item: NewItem, app: App) -> Response {
    let (body, status) = match app.shop.add(item) {
        Some(item) => (reply::json(&item), StatusCode::CREATED),
        None => {
            let error = json!({ "error": "the shelves are full" });
            (reply::json(&error), StatusCode::INSUFFICIENT_STORAGE)
        }
    };
    reply::with_status(body, status).into_response()
}
