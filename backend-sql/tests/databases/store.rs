//! Stores of each database as the suites see them: a prefix that nobody has used yet, or a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use maintenance_mode::backend::StateBackend;
use maintenance_mode_conformance::backend_suite::{
    Abilities, Broken, Harness, Load, Place, broken,
};
use sqlx::{AssertSqlSafe, Connection};
use tempfile::TempDir;

use maintenance_mode_conformance::databases::{MariaDb, Postgres};

/// A database server, or none.
#[derive(Clone)]
pub(crate) enum Database {
    Postgres(Arc<Postgres>),
    MariaDb(Arc<MariaDb>),
    Sqlite(Arc<TempDir>),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}

/// What a statement of a test's own came to.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl From<Failed> for Broken {
    fn from(failed: Failed) -> Self {
        broken(failed.0)
    }
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(Arc::new(tempfile::tempdir().unwrap()))
    }

    pub(crate) fn store(&self) -> Store {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("m{number}_");
        let place = match self {
            Self::Postgres(server) => server.url("postgres"),
            Self::MariaDb(server) => server.url(),
            Self::Sqlite(folder) => format!("sqlite:{}", file(folder.path(), number).display()),
        };
        Store {
            database: self.clone(),
            url: format!("{place}?table_prefix={prefix}"),
            place,
            prefix,
        }
    }
}

fn file(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number}.db"))
}

/// One store.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) database: Database,
    /// With the prefix.
    pub(crate) url: String,
    place: String,
    pub(crate) prefix: String,
}

/// Runs one statement on a connection of its own and gives the first column of the first row, if it is a number.
macro_rules! ask {
    ($connection:ty, $url:expr, $sql:expr) => {{
        let mut link = <$connection>::connect($url).await?;
        let row = sqlx::query(AssertSqlSafe($sql))
            .fetch_optional(&mut link)
            .await?;
        let number = row.and_then(|row| sqlx::Row::try_get::<i64, _>(&row, 0).ok());
        link.close().await?;
        Ok(number.unwrap_or(-1))
    }};
}

impl Store {
    pub(crate) async fn ask(&self, sql: &str) -> Result<i64, Failed> {
        let sql = sql.replace("#", &self.prefix);
        match self.database {
            Database::Postgres(_) => ask!(sqlx::PgConnection, &self.place, sql),
            Database::MariaDb(_) => ask!(sqlx::MySqlConnection, &self.place, sql),
            Database::Sqlite(_) => ask!(sqlx::SqliteConnection, &self.place, sql),
        }
    }

    /// The bytes as the database writes them in a statement.
    fn literal(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self.database {
            Database::Postgres(_) => format!("'\\x{hex}'::bytea"),
            Database::MariaDb(_) | Database::Sqlite(_) => format!("X'{hex}'"),
        }
    }

    pub(crate) fn backend(&self) -> Arc<dyn StateBackend> {
        maintenance_mode_sql::open(&self.url.parse().unwrap(), Path::new(".")).unwrap()
    }
}

#[async_trait]
impl Place for Store {
    async fn open(&self) -> Result<Arc<dyn StateBackend>, Broken> {
        Ok(self.backend())
    }

    async fn corrupt(&self) -> Result<Vec<u8>, Broken> {
        let bad = b"maintenance-mode-state 1 len=9999 crc32c=00000000\n{\xff\x00".to_vec();
        let sql = format!("UPDATE #state SET record = {}", self.literal(&bad));
        self.ask(&sql).await?;
        Ok(bad)
    }

    async fn keeps(&self, old: &[u8], sentence: &str) -> Result<bool, Broken> {
        let (_, id) = sentence
            .rsplit_once("id ")
            .ok_or_else(|| broken(sentence))?;
        let old = self.literal(old);
        let sql = format!("SELECT COUNT(*) FROM #kept WHERE id = {id} AND record = {old}");
        Ok(sentence.contains(&format!("`{}kept`", self.prefix)) && self.ask(&sql).await? == 1)
    }

    async fn vanish(&self) -> Result<(), Broken> {
        self.ask("DELETE FROM #state").await?;
        Ok(())
    }

    async fn stop_server(&self) -> Result<(), Broken> {
        match &self.database {
            Database::Postgres(server) => server.kill(),
            Database::MariaDb(server) => server.kill(),
            Database::Sqlite(_) => Err(broken("SQLite has no server")),
        }
    }

    async fn start_server(&self) -> Result<(), Broken> {
        match &self.database {
            Database::Postgres(server) => server.start(),
            Database::MariaDb(server) => server.start(),
            Database::Sqlite(_) => Err(broken("SQLite has no server")),
        }
    }
}

#[async_trait]
impl Harness for Database {
    async fn place(&self) -> Result<Box<dyn Place>, Broken> {
        Ok(Box::new(self.store()))
    }

    fn abilities(&self) -> Abilities {
        let has_server = !matches!(self, Self::Sqlite(_));
        Abilities {
            hints_within: Some(Duration::from_millis(match self {
                // Nothing but a message: it comes at once, also on a machine that has much to do.
                Self::Postgres(_) => 500,
                // A look every 150 ms, or 50 ms.
                Self::MariaDb(_) | Self::Sqlite(_) => 1000,
            })),
            corrupt: true,
            vanish: true,
            server_back_within: has_server.then_some(Duration::from_secs(15)),
        }
    }

    fn load(&self) -> Load {
        Load {
            writers: 32,
            tries: 1000,
            readers: 4,
        }
    }
}
