//! A small JSON interface.

use maintenance_mode_example_shop::{NewItem, Shop};
use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{State, get, post};
use serde_json::{Value, json};

#[get("/api/items")]
pub(super) fn list(shop: &State<Shop>) -> Json<Value> {
    Json(json!({ "items": shop.items() }))
}

#[post("/api/items", data = "<item>")]
pub(super) fn add(shop: &State<Shop>, item: Json<NewItem>) -> (Status, Json<Value>) {
    match shop.add(item.into_inner()) {
        Some(item) => (Status::Created, Json(json!(item))),
        None => {
            let error = json!({ "error": "the shelves are full" });
            (Status::InsufficientStorage, Json(error))
        }
    }
}
