//! Leases in a table, on the database's clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use maintenance_mode::SiteName;
use maintenance_mode::backend::BackendError;
use maintenance_mode::presence::{Held, Holder, Lease, LeaseKey, LeaseKind, PresenceBackend};

use crate::backend::Store;
use crate::dialect::Dialect;
use crate::link::{Row, Value};
use crate::links::{Purpose, Tx};
use crate::trouble::{Kind, Trouble};

/// So many leases go into one statement, and into one transaction. MariaDB searches longer lists in another, slower way.
const LEASES_PER_STATEMENT: usize = 800;

/// Each call of `renew` removes at most so many leases that have ended.
const PURGED_AT_ONCE: usize = 2000;

/// Two instances that renew the same leases may stop each other; the database then ends one of the two.
const TRIES: u32 = 3;

/// The leases of a [`SqlBackend`](crate::SqlBackend), in the same database and over the same connections.
#[derive(Debug)]
pub(crate) struct SqlPresence {
    store: Arc<Store>,
    lease: String,
}

impl SqlPresence {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        let lease = store.options().prefix.table("lease");
        Self { store, lease }
    }

    fn error(&self, trouble: Trouble) -> BackendError {
        self.store.error(trouble)
    }

    async fn begin(&self, purpose: Purpose) -> Result<Tx<'_>, Trouble> {
        self.store.ready().await?;
        self.store.links.begin(purpose).await
    }

    /// Renews leases of one holder, kind and site, with different names and in the order of the names.
    async fn renew_some(
        &self,
        holder: Holder,
        leases: &[&Lease],
    ) -> Result<Vec<LeaseKey>, Trouble> {
        let mut tries = 1;
        loop {
            match self.renew_once(holder, leases).await {
                Err(trouble) if trouble.kind == Kind::Busy && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn renew_once(
        &self,
        holder: Holder,
        leases: &[&Lease],
    ) -> Result<Vec<LeaseKey>, Trouble> {
        let mut tx = self.begin(Purpose::Write).await?;
        let dialect = tx.dialect();
        let mut values = Vec::with_capacity(leases.len() * 6);
        for lease in leases {
            values.extend(key_values(lease.key()));
            values.push(Value::text(holder.to_string()));
            values.push(Value::text(lease.note()));
            values.push(Value::int(millis(lease.lasts())));
        }
        let touched = tx
            .run(&upsert(dialect, &self.lease, leases.len()), values)
            .await?;
        // MySQL counts a renewal as two rows and a refusal as none or one.
        let all = dialect != Dialect::MySql && touched == leases.len() as u64;
        let mut refused = Vec::new();
        if !all {
            let sql = format!(
                "SELECT kind, site, name FROM {} WHERE holder <> ? AND {}",
                self.lease,
                names_in(leases.len())
            );
            let keys: Vec<&LeaseKey> = leases.iter().map(|lease| lease.key()).collect();
            let values = holder_and_names(holder, &keys);
            for row in tx.rows(&sql, values).await? {
                refused.push(self.key_of(&row)?);
            }
        }
        tx.commit().await?;
        Ok(refused)
    }

    /// Removes leases that have ended, a bounded number of them.
    async fn purge(&self) -> Result<(), Trouble> {
        let mut tx = self.begin(Purpose::Write).await?;
        let sql = purge(tx.dialect(), &self.lease);
        match tx.run(&sql, Vec::new()).await {
            Ok(_) => tx.commit().await,
            // Somebody else does it, or renews one of them: the next call removes the rest.
            Err(trouble) if trouble.kind == Kind::Busy => {
                tx.end().await;
                Ok(())
            }
            Err(trouble) => Err(trouble),
        }
    }

    fn key_of(&self, row: &Row) -> Result<LeaseKey, Trouble> {
        let column = |column| {
            let text = row.text(column);
            let text = text.map_err(|error| Trouble::of(error, self.store.dialect()))?;
            Ok(text.unwrap_or_default())
        };
        let (kind, site, name): (String, String, String) = (column(0)?, column(1)?, column(2)?);
        Ok(LeaseKey {
            kind: kind.parse().map_err(|error| self.strange(error))?,
            site: site.parse().map_err(|error| self.strange(error))?,
            name: name.parse().map_err(|error| self.strange(error))?,
        })
    }

    fn held(&self, row: &Row) -> Result<Held, Trouble> {
        let trouble = |error| Trouble::of(error, self.store.dialect());
        let holder = row.text(3).map_err(trouble)?.unwrap_or_default();
        let duration = |column| {
            let millis = row.int(column).map_err(trouble)?.unwrap_or(0);
            Ok(Duration::from_millis(
                u64::try_from(millis).unwrap_or_default(),
            ))
        };
        Ok(Held {
            key: self.key_of(row)?,
            holder: holder.parse().map_err(|error| self.strange(error))?,
            note: row.text(4).map_err(trouble)?.unwrap_or_default(),
            age: duration(5)?,
            left: duration(6)?,
        })
    }

    fn strange(&self, error: impl std::fmt::Display) -> Trouble {
        Trouble::new(
            Kind::Other,
            format!(
                "a row of `{}` was not written by this program: {error}",
                self.lease
            ),
        )
    }

    async fn release_some(&self, holder: Holder, keys: &[&LeaseKey]) -> Result<(), Trouble> {
        let mut tx = self.begin(Purpose::Write).await?;
        let sql = format!(
            "DELETE FROM {} WHERE holder = ? AND {}",
            self.lease,
            names_in(keys.len())
        );
        tx.run(&sql, holder_and_names(holder, keys)).await?;
        tx.commit().await
    }

    /// The rows of living leases; `columns` may use the database's time.
    async fn living(
        &self,
        columns: &str,
        (kind, site): (LeaseKind, Option<&SiteName>),
        after: &str,
    ) -> Result<Vec<Row>, Trouble> {
        let mut tx = self.begin(Purpose::Read).await?;
        let mut sql = format!(
            "SELECT {columns} FROM {} WHERE kind = ? AND expires_at > {}",
            self.lease,
            tx.dialect().now_ms()
        );
        let mut values = vec![Value::text(kind.as_str())];
        if let Some(site) = site {
            sql.push_str(" AND site = ?");
            values.push(Value::text(site.as_str()));
        }
        sql.push_str(after);
        let rows = tx.rows(&sql, values).await?;
        tx.end().await;
        Ok(rows)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn key_values(key: &LeaseKey) -> [Value; 3] {
    [
        Value::text(key.kind.as_str()),
        Value::text(key.site.as_str()),
        Value::text(key.name.as_str()),
    ]
}

/// Leases of one kind and site by their names; rows of several columns would not be found by index everywhere.
fn names_in(count: usize) -> String {
    format!(
        "kind = ? AND site = ? AND name IN ({})",
        vec!["?"; count].join(", ")
    )
}

/// The values for a holder and [`names_in`].
fn holder_and_names(holder: Holder, keys: &[&LeaseKey]) -> Vec<Value> {
    let mut values = vec![Value::text(holder.to_string())];
    if let Some(first) = keys.first() {
        values.push(Value::text(first.kind.as_str()));
        values.push(Value::text(first.site.as_str()));
    }
    values.extend(keys.iter().map(|key| Value::text(key.name.as_str())));
    values
}

/// Whether both are of the same kind and site.
fn alike(one: &LeaseKey, other: &LeaseKey) -> bool {
    one.kind == other.kind && one.site == other.site
}

/// The statement that begins or renews `count` leases and leaves those of others alone.
fn upsert(dialect: Dialect, lease: &str, count: usize) -> String {
    let now = dialect.now_ms();
    let cast = if dialect == Dialect::Postgres {
        "CAST(? AS BIGINT)"
    } else {
        "?"
    };
    let row = format!("(?, ?, ?, ?, ?, {now}, {now} + {cast})");
    let rows = vec![row.as_str(); count].join(", ");
    let insert = format!(
        "INSERT INTO {lease} (kind, site, name, holder, note, began_at, expires_at) VALUES {rows}"
    );
    match dialect {
        // The assignments are made one after the other: once the holder is decided, he decides the rest.
        Dialect::MySql => format!(
            "{insert} ON DUPLICATE KEY UPDATE \
             began_at = IF(expires_at <= VALUES(began_at), VALUES(began_at), began_at), \
             holder = IF(expires_at <= VALUES(began_at), VALUES(holder), holder), \
             note = IF(holder = VALUES(holder), VALUES(note), note), \
             expires_at = IF(holder = VALUES(holder), VALUES(expires_at), expires_at)"
        ),
        Dialect::Postgres | Dialect::Sqlite => format!(
            "{insert} ON CONFLICT (kind, site, name) DO UPDATE SET \
             began_at = CASE WHEN {lease}.expires_at <= excluded.began_at THEN excluded.began_at ELSE {lease}.began_at END, \
             holder = excluded.holder, note = excluded.note, expires_at = excluded.expires_at \
             WHERE {lease}.holder = excluded.holder OR {lease}.expires_at <= excluded.began_at"
        ),
    }
}

/// The statement that removes a bounded number of leases that have ended.
fn purge(dialect: Dialect, lease: &str) -> String {
    let kinds: Vec<String> = LeaseKind::ALL
        .iter()
        .map(|kind| format!("'{kind}'"))
        .collect();
    let ended = format!(
        "kind IN ({}) AND expires_at <= {}",
        kinds.join(", "),
        dialect.now_ms()
    );
    let (row, skip) = match dialect {
        Dialect::MySql => {
            return format!(
                "DELETE FROM {lease} WHERE {ended} ORDER BY kind, expires_at LIMIT {PURGED_AT_ONCE}"
            );
        }
        Dialect::Postgres => ("ctid", " FOR UPDATE SKIP LOCKED"),
        Dialect::Sqlite => ("rowid", ""),
    };
    format!(
        "DELETE FROM {lease} WHERE {row} IN (SELECT {row} FROM {lease} WHERE {ended} LIMIT {PURGED_AT_ONCE}{skip})"
    )
}

#[async_trait]
impl PresenceBackend for SqlPresence {
    fn describe(&self) -> String {
        self.store.options().place.clone()
    }

    async fn renew(&self, leases: &[Lease]) -> Result<Vec<LeaseKey>, BackendError> {
        // One order for everybody, so that two instances do not wait for each other; the last of a key counts.
        let mut by_key = BTreeMap::new();
        for lease in leases {
            by_key.insert(lease.key(), lease);
        }
        let mut by_holder: BTreeMap<Holder, Vec<&Lease>> = BTreeMap::new();
        for lease in by_key.into_values() {
            by_holder.entry(lease.holder()).or_default().push(lease);
        }
        if by_holder.is_empty() {
            return Ok(Vec::new());
        }
        self.purge().await.map_err(|trouble| self.error(trouble))?;
        let mut refused = Vec::new();
        for (holder, leases) in by_holder {
            let alike = leases.chunk_by(|one, other| alike(one.key(), other.key()));
            for some in alike.flat_map(|alike| alike.chunks(LEASES_PER_STATEMENT)) {
                let some = self.renew_some(holder, some).await;
                refused.extend(some.map_err(|trouble| self.error(trouble))?);
            }
        }
        Ok(refused)
    }

    async fn release(&self, holder: Holder, keys: &[LeaseKey]) -> Result<(), BackendError> {
        let mut keys: Vec<&LeaseKey> = keys.iter().collect();
        keys.sort_unstable();
        let alike = keys.chunk_by(|one, other| alike(one, other));
        for some in alike.flat_map(|alike| alike.chunks(LEASES_PER_STATEMENT)) {
            let released = self.release_some(holder, some).await;
            released.map_err(|trouble| self.error(trouble))?;
        }
        Ok(())
    }

    async fn count(&self, kind: LeaseKind, site: Option<&SiteName>) -> Result<u64, BackendError> {
        let rows = self.living("COUNT(*)", (kind, site), "").await;
        let rows = rows.map_err(|trouble| self.error(trouble))?;
        let count = rows.first().map(|row| row.int(0)).transpose();
        let count = count.map_err(|error| self.error(Trouble::of(error, self.store.dialect())))?;
        Ok(u64::try_from(count.flatten().unwrap_or(0)).unwrap_or_default())
    }

    async fn list(
        &self,
        kind: LeaseKind,
        site: Option<&SiteName>,
        most: usize,
    ) -> Result<Vec<Held>, BackendError> {
        let now = self.store.dialect().now_ms();
        let columns =
            format!("kind, site, name, holder, note, {now} - began_at, expires_at - {now}");
        let after = format!(" ORDER BY began_at, site, name LIMIT {most}");
        let rows = self.living(&columns, (kind, site), &after).await;
        let rows = rows.map_err(|trouble| self.error(trouble))?;
        rows.iter()
            .map(|row| self.held(row).map_err(|trouble| self.error(trouble)))
            .collect()
    }
}
