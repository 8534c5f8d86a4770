//! Connections that are kept, and transactions on them with a time by which they end.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use crate::dialect::Dialect;
use crate::link::{Link, Row, Value};
use crate::options::SqlOptions;
use crate::trouble::{Kind, Trouble};

/// One for the state and one for leases, at the same time.
const MOST: usize = 2;

/// The connections of one handle: at most two, made when they are needed and kept.
#[derive(Debug)]
pub(crate) struct Links {
    options: SqlOptions,
    idle: Mutex<Vec<Link>>,
    turns: Semaphore,
}

/// What a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
}

/// A transaction. Dropped before its end, it closes the connection, and the server takes everything back.
pub(crate) struct Tx<'a> {
    links: &'a Links,
    link: Link,
    ends: Instant,
    _turn: SemaphorePermit<'a>,
}

impl Links {
    pub(crate) fn new(options: SqlOptions) -> Self {
        Self {
            options,
            idle: Mutex::default(),
            turns: Semaphore::new(MOST),
        }
    }

    pub(crate) const fn options(&self) -> &SqlOptions {
        &self.options
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.options.dialect()
    }

    /// A connection of its own, with the session set up.
    pub(crate) async fn connect(&self) -> Result<Link, Trouble> {
        let dialect = self.dialect();
        let limit = self.options.connect_timeout;
        let connect = async {
            let mut link = self.options.target.connect().await?;
            if let Some(setup) = setup(dialect, self.options.timeout) {
                link.batch(&setup).await?;
            }
            Ok(link)
        };
        match timeout(limit, connect).await {
            Ok(Ok(link)) => Ok(link),
            Ok(Err(error)) => Err(Trouble::connecting(error, dialect)),
            Err(_) => Err(Trouble::new(
                Kind::Unreachable,
                format!("no connection within {limit:?}"),
            )),
        }
    }

    /// Begins a transaction, on a new connection if the old one turns out to be dead.
    pub(crate) async fn begin(&self, purpose: Purpose) -> Result<Tx<'_>, Trouble> {
        let limit = self.options.timeout + self.options.connect_timeout;
        let Ok(Ok(turn)) = timeout(limit, self.turns.acquire()).await else {
            return Err(Trouble::new(
                Kind::Late,
                "other calls of this process are in the way",
            ));
        };
        let dialect = self.dialect();
        let begin = begin(dialect, purpose, self.options.timeout);
        loop {
            let kept = self.kept();
            let is_old = kept.is_some();
            let mut link = match kept {
                Some(link) => link,
                None => self.connect().await?,
            };
            let ends = Instant::now() + self.options.timeout;
            match patiently(dialect, ends, &mut link, &begin).await {
                Ok(()) => {
                    return Ok(Tx {
                        links: self,
                        link,
                        ends,
                        _turn: turn,
                    });
                }
                // Nothing was asked for yet, so that asking again cannot do anything twice.
                Err(trouble) if is_old && trouble.is_lost() => {}
                Err(trouble) => return Err(trouble),
            }
        }
    }

    fn kept(&self) -> Option<Link> {
        self.idle().pop()
    }

    fn keep(&self, link: Link) {
        self.idle().push(link);
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Link>> {
        // Pushing and popping cannot leave half of anything.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a batch; SQLite is asked again and again while others have the file, because its own waiting is unfair.
async fn patiently(
    dialect: Dialect,
    ends: Instant,
    link: &mut Link,
    sql: &str,
) -> Result<(), Trouble> {
    loop {
        let Ok(result) = timeout_at(ends, link.batch(sql)).await else {
            return Err(late());
        };
        let Err(error) = result else {
            return Ok(());
        };
        let trouble = Trouble::of(error, dialect);
        if !is_taken(&trouble, dialect) || Instant::now() >= ends {
            return Err(trouble);
        }
        pause().await;
    }
}

/// Whether others have SQLite's file, so that asking again helps.
fn is_taken(trouble: &Trouble, dialect: Dialect) -> bool {
    dialect == Dialect::Sqlite && trouble.kind == Kind::Busy
}

/// Short enough to get a turn among many.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

impl Tx<'_> {
    pub(crate) const fn dialect(&self) -> Dialect {
        self.links.dialect()
    }

    /// Runs statements without values.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Trouble> {
        patiently(self.links.dialect(), self.ends, &mut self.link, sql).await
    }

    /// Runs a statement and says how many rows it touched.
    pub(crate) async fn run(&mut self, sql: &str, values: Vec<Value>) -> Result<u64, Trouble> {
        let done = timeout_at(self.ends, self.link.run(sql, values)).await;
        self.outcome(done)
    }

    /// Runs a statement and gives its rows.
    pub(crate) async fn rows(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Trouble> {
        let dialect = self.links.dialect();
        loop {
            let rows = timeout_at(self.ends, self.link.rows(sql, values.clone())).await;
            match self.outcome(rows) {
                Err(trouble) if self.again(&trouble, dialect) => pause().await,
                outcome => return outcome,
            }
        }
    }

    /// SQLite takes the file for reading at the first statement, and others may have it.
    fn again(&self, trouble: &Trouble, dialect: Dialect) -> bool {
        is_taken(trouble, dialect) && Instant::now() < self.ends
    }

    fn outcome<T>(
        &self,
        outcome: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, Trouble> {
        match outcome {
            Ok(done) => done.map_err(|error| Trouble::of(error, self.links.dialect())),
            Err(_) => Err(late()),
        }
    }

    /// Makes it count. When the answer does not come, nobody knows whether it does.
    pub(crate) async fn commit(mut self) -> Result<(), Trouble> {
        // A commit that is under way gets its full time.
        let ends = Instant::now() + self.links.options.timeout;
        match patiently(self.links.dialect(), ends, &mut self.link, "COMMIT").await {
            Ok(()) => {
                self.links.keep(self.link);
                Ok(())
            }
            Err(trouble) if trouble.is_lost() || trouble.kind == Kind::Late => Err(Trouble::new(
                Kind::Unknown,
                format!("the commit was sent, and then: {}", trouble.what),
            )),
            Err(trouble) => Err(trouble),
        }
    }

    /// Ends it without a change; a connection that does not answer is dropped.
    pub(crate) async fn end(mut self) {
        let ended = timeout_at(self.ends, self.link.batch("ROLLBACK")).await;
        if matches!(ended, Ok(Ok(()))) {
            self.links.keep(self.link);
        }
    }
}

fn late() -> Trouble {
    Trouble::new(Kind::Late, "the database did not answer")
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).try_into().unwrap_or(60)
}

/// What a new connection is told. Poolers in front of PostgreSQL would tell it to somebody else's connection, so that
/// its limits are set within each transaction.
fn setup(dialect: Dialect, limit: Duration) -> Option<String> {
    (dialect == Dialect::MySql).then(|| {
        let seconds = whole_seconds(limit);
        format!(
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
             SET SESSION innodb_lock_wait_timeout = {seconds} /*M!100100 , SESSION max_statement_time = {seconds} */"
        )
    })
}

fn begin(dialect: Dialect, purpose: Purpose, limit: Duration) -> String {
    let millis = limit.as_millis();
    match (dialect, purpose) {
        // A standby refuses READ WRITE, so that nobody reads an old state from one.
        (Dialect::Postgres, _) => format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
             SET LOCAL statement_timeout = {millis}; SET LOCAL lock_timeout = {millis}; \
             SET LOCAL idle_in_transaction_session_timeout = {}",
            millis * 2
        ),
        (Dialect::MySql, _) => "START TRANSACTION".to_owned(),
        (Dialect::Sqlite, Purpose::Read) => "BEGIN".to_owned(),
        (Dialect::Sqlite, Purpose::Write) => "BEGIN IMMEDIATE".to_owned(),
    }
}
