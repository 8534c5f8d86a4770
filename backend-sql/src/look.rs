//! Hints from looking: a cheap question, again and again, on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use maintenance_mode::backend::{HintReceiver, HintSender};
use tokio::time::{sleep, timeout};

use crate::backend::Store;
use crate::dialect::Dialect;
use crate::link::Link;
use crate::prefix::TablePrefix;
use crate::task::Ended;
use crate::trouble::{Kind, Trouble};

/// What a look shows; a hint is given when it is another.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    /// SQLite's count of changes to the file by others.
    data_version: Option<i64>,
    epoch: Option<String>,
    revision: Option<i64>,
}

/// Looks once, so that everything later is seen, and goes on looking until the subscription is dropped.
pub(crate) async fn subscribe(
    store: &Arc<Store>,
    interval: Duration,
) -> Result<HintReceiver, Trouble> {
    let mut link = store.links.connect().await?;
    let seen = look(store, &mut link, &Seen::default()).await?;
    let sender = HintSender::new();
    let hints = sender.subscribe(Duration::ZERO);
    let task = tokio::spawn(watch(Arc::clone(store), link, seen, interval, sender));
    Ok(hints.keep(Ended(task.abort_handle())))
}

async fn watch(
    store: Arc<Store>,
    mut link: Link,
    mut seen: Seen,
    interval: Duration,
    sender: HintSender,
) {
    loop {
        sleep(interval).await;
        match look(&store, &mut link, &seen).await {
            Ok(now) => {
                let news = (&now.epoch, now.revision) != (&seen.epoch, seen.revision);
                seen = now;
                if news {
                    sender.hint();
                }
            }
            Err(trouble) => {
                tracing::debug!("the subscription ends: {}", trouble.what);
                drop(link);
                crate::task::until_reachable(&store).await;
                return;
            }
        }
    }
}

async fn look(store: &Store, link: &mut Link, before: &Seen) -> Result<Seen, Trouble> {
    let (dialect, limit) = (store.dialect(), store.options().timeout);
    let look = async {
        let result = see(link, dialect, &store.options().prefix, before).await;
        result.map_err(|error| Trouble::of(error, dialect))
    };
    match timeout(limit, look).await {
        // Somebody writes at this moment: then there is something to see at the next look.
        Ok(Err(trouble)) if trouble.kind == Kind::Busy => Ok(Seen {
            data_version: None,
            ..before.clone()
        }),
        Ok(outcome) => outcome,
        Err(_) => Err(Trouble::new(Kind::Late, "the database did not answer")),
    }
}

async fn see(
    link: &mut Link,
    dialect: Dialect,
    prefix: &TablePrefix,
    before: &Seen,
) -> Result<Seen, sqlx::Error> {
    let mut data_version = None;
    if dialect == Dialect::Sqlite {
        let rows = link.rows("PRAGMA data_version", Vec::new()).await?;
        data_version = rows.first().map(|row| row.int(0)).transpose()?.flatten();
        // Applications write to the same file; only a change of the file is worth the second question.
        if data_version.is_some() && data_version == before.data_version {
            return Ok(before.clone());
        }
    }
    let sql = format!(
        "SELECT epoch, revision FROM {} WHERE id = 1",
        prefix.table("state")
    );
    let rows = link.rows(&sql, Vec::new()).await?;
    let Some(row) = rows.first() else {
        return Ok(Seen {
            data_version,
            ..Seen::default()
        });
    };
    Ok(Seen {
        data_version,
        epoch: row.text(0)?,
        revision: row.int(1)?,
    })
}
