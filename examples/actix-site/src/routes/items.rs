//! A small JSON interface.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, JsonConfig, ServiceConfig};
use maintenance_mode_example_shop::{NewItem, Shop};
use serde_json::json;

pub(super) fn routes(site: &mut ServiceConfig) {
    site.service(
        web::resource("/api/items")
            .app_data(JsonConfig::default().limit(4096))
            .get(list)
            .post(add),
    );
}

async fn list(shop: Data<Shop>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "items": shop.items() }))
}

async fn add(shop: Data<Shop>, item: Json<NewItem>) -> HttpResponse {
    match shop.add(item.into_inner()) {
        Some(item) => HttpResponse::Created().json(item),
        None => {
            HttpResponse::InsufficientStorage().json(json!({ "error": "the shelves are full" }))
        }
    }
}
