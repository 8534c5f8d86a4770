//! What differs from database to database.

use std::fmt;

use crate::prefix::TablePrefix;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
}

impl Dialect {
    /// Statement with the placeholders that the database knows; ours are `?`, and no text of ours has another.
    pub(crate) fn placeholders(self, sql: &str) -> String {
        if self != Self::Postgres {
            return sql.to_owned();
        }
        let mut numbered = String::with_capacity(sql.len() + 64);
        for (number, part) in sql.split('?').enumerate() {
            if number > 0 {
                numbered.push('$');
                numbered.push_str(&number.to_string());
            }
            numbered.push_str(part);
        }
        numbered
    }

    /// The database's own time in milliseconds since 1970: one for a whole statement, so that an index can be used.
    pub(crate) const fn now_ms(self) -> &'static str {
        match self {
            Self::Postgres => "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT)",
            Self::MySql => "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
            Self::Sqlite => "CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)",
        }
    }

    /// The database's own time, as columns of times keep it.
    pub(crate) const fn now(self) -> &'static str {
        match self {
            Self::Postgres => "statement_timestamp()",
            Self::MySql => "UTC_TIMESTAMP(3)",
            Self::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
        }
    }

    /// A placeholder for a time that is given as text.
    pub(crate) const fn time_placeholder(self) -> &'static str {
        match self {
            Self::Postgres => "CAST(? AS TIMESTAMPTZ)",
            Self::MySql | Self::Sqlite => "?",
        }
    }

    /// What makes a reading statement hold the row until the end of the transaction.
    pub(crate) const fn for_update(self) -> &'static str {
        match self {
            Self::Postgres | Self::MySql => " FOR UPDATE",
            // The transaction has the whole file already.
            Self::Sqlite => "",
        }
    }

    /// The statements after which an application's user has all that the backend needs.
    pub(crate) fn grants(self, prefix: &TablePrefix) -> String {
        match self {
            Self::Postgres => {
                let tables: Vec<_> = prefix.tables().collect();
                format!(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO USER",
                    tables.join(", ")
                )
            }
            Self::MySql => "GRANT SELECT, INSERT, UPDATE, DELETE ON DATABASE.* TO USER".to_owned(),
            Self::Sqlite => "make the file and its folder writable for the process".to_owned(),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::MySql => "MySQL",
            Self::Sqlite => "SQLite",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_for_postgresql() {
        let sql = "UPDATE t SET a = ?, b = ? WHERE c = ?";
        let numbered = "UPDATE t SET a = $1, b = $2 WHERE c = $3";
        assert_eq!(Dialect::Postgres.placeholders(sql), numbered);
        assert_eq!(Dialect::MySql.placeholders(sql), sql);
    }
}
