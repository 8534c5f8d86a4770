//! One connection to one of the databases, with no more than the backend needs.

use sqlx::{AssertSqlSafe, Connection, Row as _};

use crate::dialect::Dialect;

/// A connection.
#[derive(Debug)]
pub(crate) enum Link {
    #[cfg(feature = "postgres")]
    Postgres(Box<sqlx::PgConnection>),
    #[cfg(feature = "mysql")]
    MySql(Box<sqlx::MySqlConnection>),
    #[cfg(feature = "sqlite")]
    Sqlite(Box<sqlx::SqliteConnection>),
}

/// How to connect.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    #[cfg(feature = "postgres")]
    Postgres(Box<sqlx::postgres::PgConnectOptions>),
    #[cfg(feature = "mysql")]
    MySql(Box<sqlx::mysql::MySqlConnectOptions>),
    #[cfg(feature = "sqlite")]
    Sqlite(Box<sqlx::sqlite::SqliteConnectOptions>),
}

/// What goes into a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Int(Option<i64>),
    Bool(bool),
    Text(Option<String>),
    Bytes(Vec<u8>),
}

impl Value {
    pub(crate) const fn int(number: i64) -> Self {
        Self::Int(Some(number))
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Some(text.into()))
    }
}

/// What comes out of one.
pub(crate) enum Row {
    #[cfg(feature = "postgres")]
    Postgres(sqlx::postgres::PgRow),
    #[cfg(feature = "mysql")]
    MySql(sqlx::mysql::MySqlRow),
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::sqlite::SqliteRow),
}

/// Does the same for each database, with its connection, row or options and its name among sqlx's types.
macro_rules! each {
    ($of:ident :: $value:expr, |$inner:ident, $database:ident| $body:expr) => {
        match $value {
            #[cfg(feature = "postgres")]
            $of::Postgres($inner) => {
                #[allow(unused)]
                use sqlx::Postgres as $database;
                $body
            }
            #[cfg(feature = "mysql")]
            $of::MySql($inner) => {
                #[allow(unused)]
                use sqlx::MySql as $database;
                $body
            }
            #[cfg(feature = "sqlite")]
            $of::Sqlite($inner) => {
                #[allow(unused)]
                use sqlx::Sqlite as $database;
                $body
            }
        }
    };
}

/// A statement with its values, for one of the databases.
macro_rules! statement {
    ($database:ident, $dialect:expr, $sql:expr, $values:expr) => {{
        let sql = $dialect.placeholders($sql);
        let kept = $dialect != Dialect::Postgres && $values.len() < MANY_VALUES;
        let mut query = sqlx::query::<$database>(AssertSqlSafe(sql)).persistent(kept);
        for value in $values {
            query = match value {
                Value::Int(number) => query.bind(number),
                Value::Bool(flag) => query.bind(flag),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

/// Statements with more values come in many lengths, and are not worth keeping prepared. PostgreSQL's never are: a
/// pooler between would run them on another connection than the one that knows them.
const MANY_VALUES: usize = 50;

impl Target {
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
            #[cfg(feature = "mysql")]
            Self::MySql(_) => Dialect::MySql,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    pub(crate) async fn connect(&self) -> Result<Link, sqlx::Error> {
        Ok(match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => {
                Link::Postgres(Box::new(sqlx::PgConnection::connect_with(options).await?))
            }
            #[cfg(feature = "mysql")]
            Self::MySql(options) => Link::MySql(Box::new(
                sqlx::MySqlConnection::connect_with(options).await?,
            )),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(options) => Link::Sqlite(Box::new(
                sqlx::SqliteConnection::connect_with(options).await?,
            )),
        })
    }
}

impl Link {
    const fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
            #[cfg(feature = "mysql")]
            Self::MySql(_) => Dialect::MySql,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Runs statements without values, in one message.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let batch = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        each!(Link::self, |link, _database| batch
            .execute(&mut **link)
            .await
            .map(|_| ()))
    }

    /// Runs a statement and says how many rows it touched.
    pub(crate) async fn run(&mut self, sql: &str, values: Vec<Value>) -> Result<u64, sqlx::Error> {
        let dialect = self.dialect();
        each!(Link::self, |link, Database| {
            let done = statement!(Database, dialect, sql, values)
                .execute(&mut **link)
                .await?;
            Ok(done.rows_affected())
        })
    }

    /// Runs a statement and gives its rows.
    pub(crate) async fn rows(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, sqlx::Error> {
        let dialect = self.dialect();
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(link) => {
                use sqlx::Postgres;
                let query = statement!(Postgres, dialect, sql, values);
                let rows = query.fetch_all(&mut **link).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
            #[cfg(feature = "mysql")]
            Self::MySql(link) => {
                use sqlx::MySql;
                let query = statement!(MySql, dialect, sql, values);
                let rows = query.fetch_all(&mut **link).await?;
                Ok(rows.into_iter().map(Row::MySql).collect())
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(link) => {
                use sqlx::Sqlite;
                let query = statement!(Sqlite, dialect, sql, values);
                let rows = query.fetch_all(&mut **link).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
        }
    }

    /// Says goodbye, so that the server need not find out by itself.
    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        each!(Link::self, |link, _database| link.close().await)
    }
}

impl Row {
    pub(crate) fn int(&self, column: usize) -> Result<Option<i64>, sqlx::Error> {
        each!(Row::self, |row, _database| row.try_get_unchecked(column))
    }

    pub(crate) fn text(&self, column: usize) -> Result<Option<String>, sqlx::Error> {
        each!(Row::self, |row, _database| row.try_get_unchecked(column))
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
        each!(Row::self, |row, _database| row.try_get_unchecked(column))
    }
}
