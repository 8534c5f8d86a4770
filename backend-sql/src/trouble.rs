//! What a database says went wrong, sorted by what is to be done about it.

use maintenance_mode::backend::BackendError;
use sqlx::Error;

use crate::dialect::Dialect;

/// What went wrong, with the database's own words.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: Kind,
    pub(crate) what: String,
    source: Option<Error>,
}

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nobody answers.
    Unreachable,
    /// The connection was there and is gone.
    Lost,
    /// No answer in time.
    Late,
    /// Wrong user or password.
    Unauthorised,
    /// There is no such database.
    NoDatabase,
    /// The user may not do this.
    NoRight,
    /// A table is missing.
    NoTable,
    /// A row with this key is there already.
    Duplicate,
    /// Others are in the way; nothing was changed.
    Busy,
    /// The database only reads.
    ReadOnly,
    /// Encryption is required or refused.
    Tls,
    /// The database cannot keep the text.
    Encoding,
    /// The tables are of another version of this program.
    Version,
    /// The server cannot take connections now.
    NotNow,
    /// The commit was sent and not answered.
    Unknown,
    /// Anything else.
    Other,
}

impl Trouble {
    pub(crate) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            source: None,
        }
    }

    pub(crate) fn of(error: Error, dialect: Dialect) -> Self {
        let kind = kind(&error, dialect);
        let what = match &error {
            Error::Database(error) => error.message().to_owned(),
            other => other.to_string(),
        };
        Self {
            kind,
            what,
            source: Some(error),
        }
    }

    /// The same, while a connection is being made.
    pub(crate) fn connecting(error: Error, dialect: Dialect) -> Self {
        let mut trouble = Self::of(error, dialect);
        if trouble.kind == Kind::Lost {
            trouble.kind = Kind::Unreachable;
        }
        trouble
    }

    /// Whether the connection is of no use any more.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.kind, Kind::Lost | Kind::Unreachable)
    }

    pub(crate) fn into_error(self, place: &str, dialect: Dialect) -> BackendError {
        let place = place.to_owned();
        if self.kind == Kind::Unknown {
            return BackendError::Unknown {
                place,
                why: self.what,
            };
        }
        let (sentence, cure) = words(self.kind, dialect);
        let what = if cure.is_empty() {
            format!("{sentence}: {}", self.what)
        } else {
            format!("{sentence}: {}; {cure}", self.what)
        };
        BackendError::Unavailable {
            place,
            what,
            source: self.source.map(Into::into),
        }
    }
}

/// What went wrong and what helps.
const fn words(kind: Kind, dialect: Dialect) -> (&'static str, &'static str) {
    match kind {
        Kind::Unreachable if matches!(dialect, Dialect::Sqlite) => (
            "the file cannot be opened",
            "check that its folder exists and that the process may read and write it",
        ),
        Kind::Unreachable => (
            "the server cannot be reached",
            "check host and port, and that it runs",
        ),
        Kind::Lost => ("the connection was lost", ""),
        Kind::Late => ("no answer in time", ""),
        Kind::Unauthorised => (
            "the server refuses this user",
            "check user and password in the URL, and the server's rules for this host",
        ),
        Kind::NoDatabase => (
            "there is no such database",
            "check the name at the end of the URL, or create it",
        ),
        Kind::NoRight => ("the user may not do this", ""),
        Kind::NoTable => ("a table is missing", ""),
        Kind::Duplicate => ("somebody else was faster", "try again"),
        Kind::Busy => ("others are in the way, nothing was changed", "try again"),
        Kind::ReadOnly => (
            "the database only reads",
            "name the primary in the URL, not a standby or replica",
        ),
        Kind::Tls => (
            "server and URL do not agree on encryption",
            "see the parameter for TLS in the URL (`sslmode` for PostgreSQL, `ssl-mode` for MySQL) and its certificates",
        ),
        Kind::Encoding => (
            "the database cannot keep this text",
            "use a database whose encoding is UTF8",
        ),
        Kind::Version => ("the tables do not fit", "upgrade this program"),
        Kind::NotNow => ("the server takes no connections now", "try again"),
        Kind::Unknown | Kind::Other => ("the database refuses", ""),
    }
}

fn kind(error: &Error, dialect: Dialect) -> Kind {
    match error {
        Error::Database(error) => {
            if error.is_unique_violation() {
                return Kind::Duplicate;
            }
            let code = error.code().unwrap_or_default();
            match dialect {
                Dialect::Postgres => postgres(&code, error.message()),
                Dialect::MySql => mysql(number(&**error), error.message()),
                Dialect::Sqlite => sqlite(&code, error.message()),
            }
        }
        // Certificates that cannot be read are found when the connection is made.
        Error::Tls(_) | Error::Configuration(_) => Kind::Tls,
        Error::Io(_) | Error::Protocol(_) | Error::WorkerCrashed => Kind::Lost,
        Error::PoolTimedOut => Kind::Late,
        _ => Kind::Other,
    }
}

/// SQLSTATE, PostgreSQL's manual, appendix A.
fn postgres(code: &str, message: &str) -> Kind {
    match code {
        // pg_hba.conf: "no pg_hba.conf entry for host …, no encryption".
        "28000" if message.contains("no encryption") || message.contains("SSL off") => Kind::Tls,
        "28P01" | "28000" => Kind::Unauthorised,
        "3D000" => Kind::NoDatabase,
        "42501" => Kind::NoRight,
        "42P01" | "3F000" => Kind::NoTable,
        "40001" | "40P01" | "55P03" => Kind::Busy,
        "57014" | "25P03" | "25P04" => Kind::Late,
        // A standby: "cannot set transaction read-write mode during recovery". We ask for nothing else that a server
        // could lack.
        "25006" | "0A000" => Kind::ReadOnly,
        "22P05" | "22021" => Kind::Encoding,
        "57P03" | "53300" => Kind::NotNow,
        "57P01" | "57P02" | "57P04" => Kind::Lost,
        _ if code.starts_with("08") => Kind::Lost,
        _ => Kind::Other,
    }
}

#[cfg(feature = "mysql")]
fn number(error: &(dyn sqlx::error::DatabaseError + 'static)) -> u16 {
    error
        .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
        .map_or(0, sqlx::mysql::MySqlDatabaseError::number)
}

#[cfg(not(feature = "mysql"))]
const fn number(_: &(dyn sqlx::error::DatabaseError + 'static)) -> u16 {
    0
}

/// The numbers of MySQL's and MariaDB's errors.
fn mysql(number: u16, message: &str) -> Kind {
    match number {
        1045 | 1251 | 1698 => Kind::Unauthorised,
        1044 | 1142 | 1143 | 1227 | 1370 => Kind::NoRight,
        1049 => Kind::NoDatabase,
        1146 => Kind::NoTable,
        1205 | 1213 | 1020 => Kind::Busy,
        1969 | 3024 => Kind::Late,
        // The server was started with --read-only; other uses of 1290 are not ours.
        1290 | 1836 => Kind::ReadOnly,
        1366 => Kind::Encoding,
        1040 | 1203 | 1226 => Kind::NotNow,
        1053 | 1077 | 1079 | 1080 | 1927 => Kind::Lost,
        3159 | 4031 => Kind::Tls,
        _ if message.contains("secure transport") => Kind::Tls,
        _ => Kind::Other,
    }
}

/// SQLite's result codes; the low byte is the primary one.
fn sqlite(code: &str, message: &str) -> Kind {
    let code: u32 = code.parse().unwrap_or_default();
    match code & 0xff {
        1 if message.starts_with("no such table") => Kind::NoTable,
        5 | 6 => Kind::Busy,
        8 | 3 | 23 => Kind::NoRight,
        14 => Kind::Unreachable,
        // The disk failed, is full, or the file is no database: whatever was under way is rolled back.
        _ => Kind::Other,
    }
}
