//! The state in a database.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use maintenance_mode::backend::{
    BackendError, Hints, StateBackend, check_repair, check_succession,
};
use maintenance_mode::presence::PresenceBackend;
use maintenance_mode::state::{State, Version};

use crate::dialect::Dialect;
use crate::links::{Links, Purpose};
use crate::options::SqlOptions;
use crate::presence::SqlPresence;
use crate::record::{self, Found, Next};
use crate::schema;
use crate::trouble::{Kind, Trouble};

/// State and leases in PostgreSQL, MySQL, MariaDB or SQLite.
///
/// It connects when it is first used, and again after the connection was lost. Clones share their connections: two
/// at most, and one more for each subscription.
#[derive(Clone)]
pub struct SqlBackend {
    store: Arc<Store>,
}

/// What the state and the leases of one handle share.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) links: Links,
    /// The tables were there once.
    ready: AtomicBool,
}

impl Store {
    pub(crate) fn options(&self) -> &SqlOptions {
        self.links.options()
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.links.dialect()
    }

    pub(crate) fn error(&self, trouble: Trouble) -> BackendError {
        if trouble.kind == Kind::NoTable {
            // The next call looks whether they are there, and makes them.
            self.ready.store(false, Ordering::Relaxed);
        }
        let mut trouble = trouble;
        if trouble.kind == Kind::NoRight && !trouble.what.contains("GRANT") {
            let grants = self.dialect().grants(&self.options().prefix);
            trouble.what = format!("{}; it needs: {grants}", trouble.what);
        }
        trouble.into_error(&self.options().place, self.dialect())
    }

    /// Makes the tables at the first use.
    pub(crate) async fn ready(&self) -> Result<(), Trouble> {
        if !self.ready.load(Ordering::Relaxed) {
            schema::ensure(&self.links).await?;
            self.ready.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl SqlBackend {
    /// A backend with these options. Nothing is connected yet.
    #[must_use]
    pub fn new(options: SqlOptions) -> Self {
        Self {
            store: Arc::new(Store {
                links: Links::new(options),
                ready: AtomicBool::new(false),
            }),
        }
    }

    async fn find(&self) -> Result<Found, BackendError> {
        let store = &*self.store;
        let found = async {
            store.ready().await?;
            let mut tx = store.links.begin(Purpose::Read).await?;
            let found = record::find(&mut tx, &store.options().prefix).await?;
            tx.end().await;
            Ok(found)
        };
        match found.await {
            Ok(found) => Ok(found),
            // They were there, or could be made, a moment ago.
            Err(Trouble {
                kind: Kind::NoTable,
                ..
            }) => Ok(Found::Vanished),
            Err(trouble) => Err(store.error(trouble)),
        }
    }

    async fn load_now(&self) -> Result<Option<State>, BackendError> {
        self.find().await?.state(&self.store.options().place)
    }

    /// Stores `next` over `old`, of which it is known that it was there.
    async fn store(&self, old: Option<&State>, next: &Next<'_>) -> Result<(), Trouble> {
        let prefix = &self.store.options().prefix;
        let mut tx = self.store.links.begin(Purpose::Write).await?;
        let stored = match old {
            Some(old) => record::update(&mut tx, prefix, old, next).await,
            None => record::insert(&mut tx, prefix, next).await,
        };
        match stored {
            Ok(()) => tx.commit().await,
            Err(trouble) => {
                if matches!(trouble.kind, Kind::Duplicate | Kind::Busy) {
                    tx.end().await;
                }
                Err(trouble)
            }
        }
    }

    async fn repair_now(&self, next: &Next<'_>) -> Result<Option<String>, BackendError> {
        let store = &*self.store;
        let prefix = &store.options().prefix;
        let fail = |trouble| store.error(trouble);
        schema::ensure(&store.links).await.map_err(fail)?;
        let mut tx = store.links.begin(Purpose::Write).await.map_err(fail)?;
        record::hold(&mut tx, prefix).await.map_err(fail)?;
        let present = match record::find(&mut tx, prefix).await.map_err(fail)? {
            Found::Record(state) => Some(state.version()),
            Found::Never | Found::Vanished | Found::Damaged(_) => None,
        };
        if let Err(wrong) = check_repair(present, next.state) {
            tx.end().await;
            return Err(wrong);
        }
        let sentence = record::repair(&mut tx, prefix, next).await.map_err(fail)?;
        tx.commit().await.map_err(fail)?;
        Ok(sentence)
    }
}

impl fmt::Debug for SqlBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqlBackend")
            .field(&self.store.options().place)
            .finish()
    }
}

#[async_trait]
impl StateBackend for SqlBackend {
    fn describe(&self) -> String {
        self.store.options().place.clone()
    }

    async fn load(&self) -> Result<Option<State>, BackendError> {
        self.load_now().await
    }

    async fn compare_and_set(
        &self,
        expected: Option<Version>,
        next: &State,
    ) -> Result<(), BackendError> {
        check_succession(expected, next)?;
        let next = Next::new(next)?;
        let present = self.load_now().await?;
        if present.as_ref().map(State::version) != expected {
            return Err(BackendError::Conflict(present.map(Box::new)));
        }
        let Err(trouble) = self.store(present.as_ref(), &next).await else {
            return Ok(());
        };
        if matches!(trouble.kind, Kind::Duplicate | Kind::Busy) {
            let present = self.load_now().await?;
            if present.as_ref().map(State::version) != expected {
                return Err(BackendError::Conflict(present.map(Box::new)));
            }
        }
        Err(self.store.error(trouble))
    }

    async fn repair(&self, next: &State) -> Result<Option<String>, BackendError> {
        self.repair_now(&Next::new(next)?).await
    }

    async fn subscribe(&self) -> Result<Box<dyn Hints>, BackendError> {
        let store = &self.store;
        let Some(interval) = store.options().hint_interval else {
            return Err(BackendError::Unsupported {
                backend: "a database with `hint_interval=off`",
                what: "hint at changes; it is polled",
            });
        };
        store
            .ready()
            .await
            .map_err(|trouble| store.error(trouble))?;
        let hints = match store.dialect() {
            #[cfg(feature = "postgres")]
            Dialect::Postgres => crate::listen::subscribe(store).await,
            _ => crate::look::subscribe(store, interval).await,
        };
        Ok(Box::new(hints.map_err(|trouble| store.error(trouble))?))
    }

    fn presence(&self) -> Result<Arc<dyn PresenceBackend>, BackendError> {
        Ok(Arc::new(SqlPresence::new(Arc::clone(&self.store))))
    }
}
