//! The record: one row that is the truth.

use maintenance_mode::backend::BackendError;
use maintenance_mode::state::{Epoch, State, Version, codec};

use crate::dialect::Dialect;
use crate::link::{Row, Value};
use crate::links::Tx;
use crate::mirror;
use crate::prefix::TablePrefix;
use crate::trouble::{Kind, Trouble};

/// What lies in the table of the record.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing, and nothing ever did.
    Never,
    /// Nothing, although there was something.
    Vanished,
    /// A record.
    Record(Box<State>),
    /// Something that is no record; why.
    Damaged(String),
}

impl Found {
    /// The record, for whoever reads.
    pub(crate) fn state(self, place: &str) -> Result<Option<State>, BackendError> {
        let place = place.to_owned();
        match self {
            Self::Never => Ok(None),
            Self::Record(state) => Ok(Some(*state)),
            Self::Vanished => Err(BackendError::Vanished { place }),
            Self::Damaged(why) => Err(BackendError::Unreadable { place, why }),
        }
    }
}

/// Reads the record.
pub(crate) async fn find(tx: &mut Tx<'_>, prefix: &TablePrefix) -> Result<Found, Trouble> {
    let sql = format!(
        "SELECT m.record_created, s.epoch, s.revision, s.record \
         FROM {} m LEFT JOIN {} s ON s.id = 1 WHERE m.id = ?",
        prefix.table("migration"),
        prefix.table("state")
    );
    let dialect = tx.dialect();
    let rows = tx.rows(&sql, vec![Value::int(1)]).await?;
    let Some(row) = rows.first() else {
        return Ok(Found::Vanished);
    };
    judge(row).map_err(|error| Trouble::of(error, dialect))
}

fn judge(row: &Row) -> Result<Found, sqlx::Error> {
    let Some(bytes) = row.bytes(3)? else {
        return Ok(match row.int(0)? {
            Some(0) => Found::Never,
            _ => Found::Vanished,
        });
    };
    let (epoch, revision) = (row.text(1)?.unwrap_or_default(), row.int(2)?.unwrap_or(0));
    Ok(match codec::decode(&bytes) {
        Ok(state)
            if state.epoch.to_string() == epoch
                && u64::try_from(revision) == Ok(state.revision) =>
        {
            Found::Record(Box::new(state))
        }
        Ok(state) => Found::Damaged(format!(
            "the columns say {epoch}:{revision} and the record says {}; was a column edited by hand?",
            state.version()
        )),
        Err(error) => Found::Damaged(error.to_string()),
    })
}

/// A record that is to be stored.
pub(crate) struct Next<'a> {
    pub(crate) state: &'a State,
    bytes: Vec<u8>,
    revision: i64,
}

impl<'a> Next<'a> {
    pub(crate) fn new(state: &'a State) -> Result<Self, BackendError> {
        let bytes = codec::encode(state)?;
        let revision = i64::try_from(state.revision).map_err(|_| BackendError::Invalid {
            expected: format!("at most revision {}", i64::MAX),
            got: state.version().to_string(),
        })?;
        Ok(Self {
            state,
            bytes,
            revision,
        })
    }

    fn values(&self) -> Vec<Value> {
        vec![
            Value::text(self.state.epoch.to_string()),
            Value::int(self.revision),
            Value::int(self.state.schema.into()),
            Value::Bytes(self.bytes.clone()),
        ]
    }
}

/// Stores the first record; fails as a duplicate if there is one.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    prefix: &TablePrefix,
    next: &Next<'_>,
) -> Result<(), Trouble> {
    let sql = format!(
        "INSERT INTO {} (id, epoch, revision, record_schema, record, updated_at) VALUES (1, ?, ?, ?, ?, {})",
        prefix.table("state"),
        tx.dialect().now()
    );
    tx.run(&sql, next.values()).await?;
    let sql = format!(
        "UPDATE {} SET record_created = 1 WHERE id = ?",
        prefix.table("migration")
    );
    tx.run(&sql, vec![Value::int(1)]).await?;
    mirror::write(tx, prefix, None, next.state).await?;
    announce(tx, prefix, next.state.version()).await
}

/// Stores `next` over `old`; fails as a duplicate if somebody else was faster.
pub(crate) async fn update(
    tx: &mut Tx<'_>,
    prefix: &TablePrefix,
    old: &State,
    next: &Next<'_>,
) -> Result<(), Trouble> {
    let guard = (old.epoch, old.revision);
    if replace(tx, prefix, Some(guard), next).await? == 0 {
        return Err(Trouble::new(
            Kind::Duplicate,
            "the record is not what it was",
        ));
    }
    mirror::write(tx, prefix, Some(old), next.state).await?;
    announce(tx, prefix, next.state.version()).await
}

async fn replace(
    tx: &mut Tx<'_>,
    prefix: &TablePrefix,
    guard: Option<(Epoch, u64)>,
    next: &Next<'_>,
) -> Result<u64, Trouble> {
    let mut sql = format!(
        "UPDATE {} SET epoch = ?, revision = ?, record_schema = ?, record = ?, updated_at = {} WHERE id = 1",
        prefix.table("state"),
        tx.dialect().now()
    );
    let mut values = next.values();
    if let Some((epoch, revision)) = guard {
        sql.push_str(" AND epoch = ? AND revision = ?");
        values.push(Value::text(epoch.to_string()));
        values.push(Value::int(i64::try_from(revision).unwrap_or(i64::MAX)));
    }
    tx.run(&sql, values).await
}

/// Puts `next` in the place of whatever is there, keeps that, and says where.
pub(crate) async fn repair(
    tx: &mut Tx<'_>,
    prefix: &TablePrefix,
    next: &Next<'_>,
) -> Result<Option<String>, Trouble> {
    let (state, kept) = (prefix.table("state"), prefix.table("kept"));
    let sql = format!(
        "INSERT INTO {kept} (kept_at, epoch, revision, record) \
         SELECT {}, epoch, revision, record FROM {state} WHERE id = ?",
        tx.dialect().now()
    );
    if tx.run(&sql, vec![Value::int(1)]).await? == 0 {
        insert(tx, prefix, next).await?;
        return Ok(None);
    }
    let rows = tx
        .rows(&format!("SELECT MAX(id) FROM {kept}"), Vec::new())
        .await?;
    let row = rows.first().map(|row| row.int(0)).transpose();
    let row = row.map_err(|error| Trouble::of(error, tx.dialect()))?;
    replace(tx, prefix, None, next).await?;
    mirror::write(tx, prefix, None, next.state).await?;
    announce(tx, prefix, next.state.version()).await?;
    Ok(Some(format!(
        "the old record is in the table `{kept}`, id {}",
        row.flatten().unwrap_or_default()
    )))
}

/// Holds the record until the end of the transaction, so that nothing comes between reading and replacing it.
pub(crate) async fn hold(tx: &mut Tx<'_>, prefix: &TablePrefix) -> Result<(), Trouble> {
    for table in ["migration", "state"] {
        let sql = format!(
            "SELECT id FROM {} WHERE id = ?{}",
            prefix.table(table),
            tx.dialect().for_update()
        );
        tx.rows(&sql, vec![Value::int(1)]).await?;
    }
    Ok(())
}

/// Tells whoever listens; delivered when the transaction counts.
async fn announce(tx: &mut Tx<'_>, prefix: &TablePrefix, version: Version) -> Result<(), Trouble> {
    if tx.dialect() == Dialect::Postgres {
        let values = vec![
            Value::text(prefix.table("changed")),
            Value::text(version.to_string()),
        ];
        tx.rows("SELECT 1 FROM pg_notify(?, ?)", values).await?;
    }
    Ok(())
}
