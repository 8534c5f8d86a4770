//! A small JSON interface.

use maintenance_mode_example_shop::NewItem;
use poem::http::StatusCode;
use poem::middleware::SizeLimit;
use poem::web::{Data, Json};
use poem::{EndpointExt as _, IntoResponse, Response, Route, get, handler};
use serde_json::{Value, json};

use crate::app::App;

pub(super) fn add_to(routes: Route) -> Route {
    routes.at("/api/items", get(list).post(add.with(SizeLimit::new(4096))))
}

#[handler]
async fn list(app: Data<&App>) -> Json<Value> {
    Json(json!({ "items": app.shop.items() }))
}

#[handler]
async fn add(app: Data<&App>, Json(item): Json<NewItem>) -> Response {
    match app.shop.add(item) {
        Some(item) => Json(item).with_status(StatusCode::CREATED).into_response(),
        None => Json(json!({ "error": "the shelves are full" }))
            .with_status(StatusCode::INSUFFICIENT_STORAGE)
            .into_response(),
    }
}
