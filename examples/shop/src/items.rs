//! What the shop sells.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// How many items fit.
const MOST: usize = 1_000;

/// What the shop sells. In memory.
#[derive(Debug)]
pub struct Shop {
    items: Mutex<Vec<Item>>,
}

/// One item.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// Counted from 1.
    pub id: usize,
    /// What it is called.
    pub name: String,
}

/// What a client sends to add one.
#[derive(Debug, Deserialize)]
pub struct NewItem {
    /// What it is called.
    pub name: String,
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
    /// All of it.
    #[must_use]
    pub fn items(&self) -> Vec<Item> {
        self.lock().clone()
    }

    /// Puts an item on the shelves. `None`: they are full.
    #[must_use]
    pub fn add(&self, NewItem { name }: NewItem) -> Option<Item> {
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
