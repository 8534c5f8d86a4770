//! A small JSON interface.

use std::sync::{Mutex, PoisonError};

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, JsonConfig, ServiceConfig};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How many items fit.
const MOST: usize = 1_000;

/// What the shop sells. In memory.
#[derive(Debug)]
pub(crate) struct Shop {
    items: Mutex<Vec<Item>>,
}

/// One item.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Item {
    pub(crate) id: usize,
    pub(crate) name: String,
}

#[derive(Deserialize)]
struct NewItem {
    name: String,
}

impl Default for Shop {
    fn default() -> Self {
        let names = ["Apples", "Bread", "Candles"];
        let items = (1..).zip(names).map(|(id, name)| Item {
            id,
            name: name.to_owned(),
        });
        Self {
            items: Mutex::new(items.collect()),
        }
    }
}

impl Shop {
    pub(crate) fn items(&self) -> Vec<Item> {
        self.lock().clone()
    }

    /// `None`: the shelves are full.
    fn add(&self, name: String) -> Option<Item> {
        let mut items = self.lock();
        let item = Item {
            id: items.len() + 1,
            name,
        };
        (items.len() < MOST).then(|| items.push(item.clone()))?;
        Some(item)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Item>> {
        // A panic while it is held leaves whole items behind.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
    match shop.add(item.into_inner().name) {
        Some(item) => HttpResponse::Created().json(item),
        None => {
            HttpResponse::InsufficientStorage().json(json!({ "error": "the shelves are full" }))
        }
    }
}
