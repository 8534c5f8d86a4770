//! A small JSON interface.

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use maintenance_mode_example_shop::NewItem;
use serde_json::{Value, json};

use crate::app::App;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/items", get(list).post(add))
        .layer(DefaultBodyLimit::max(4096))
}

async fn list(State(app): State<App>) -> Json<Value> {
    Json(json!({ "items": app.shop.items() }))
}

async fn add(State(app): State<App>, Json(item): Json<NewItem>) -> Response {
    match app.shop.add(item) {
        Some(item) => (StatusCode::CREATED, Json(item)).into_response(),
        None => {
            let error = json!({ "error": "the shelves are full" });
            (StatusCode::INSUFFICIENT_STORAGE, Json(error)).into_response()
        }
    }
}
