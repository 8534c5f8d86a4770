//! The record once more, as rows that people and applications can read and join with.
//!
//! They are written in the transaction that writes the record, and nobody here reads them.

use maintenance_mode::Timestamp;
use maintenance_mode::state::{Action, Message, State};

use crate::dialect::Dialect;
use crate::link::Value;
use crate::links::Tx;
use crate::prefix::TablePrefix;
use crate::trouble::Trouble;

/// So many rows go into one statement.
const ROWS_PER_STATEMENT: usize = 500;

/// The years 1000 to 9999, which every database can keep.
const TIMES: (i64, i64) = (-30_610_224_000_000, 253_402_300_799_999);

/// The rows of one table.
#[derive(PartialEq)]
struct Mirrored {
    table: &'static str,
    columns: &'static [Column],
    rows: Vec<Vec<Value>>,
}

/// A column's name and whether it is a time.
type Column = (&'static str, bool);

const SITE: &[Column] = &[
    ("name", false),
    ("mode", false),
    ("activation", false),
    ("since", true),
    ("message", false),
    ("expected_end", true),
    ("retry_after", false),
    ("changed_by", false),
    ("why", false),
];
const WINDOW: &[Column] = &[
    ("site", false),
    ("id", false),
    ("mode", false),
    ("starts_at", true),
    ("ends_at", true),
    ("message", false),
    ("enabled", false),
];
const EXEMPTION: &[Column] = &[("site", false), ("kind", false), ("value", false)];
const CHANGE: &[Column] = &[
    ("changed_at", true),
    ("revision", false),
    ("site", false),
    ("action", false),
    ("mode_before", false),
    ("mode_after", false),
    ("changed_by", false),
    ("via", false),
    ("why", false),
];

/// Writes the rows of `next`; where `old` is known to be there, only the tables that change.
pub(crate) async fn write(
    tx: &mut Tx<'_>,
    prefix: &TablePrefix,
    old: Option<&State>,
    next: &State,
) -> Result<(), Trouble> {
    let dialect = tx.dialect();
    for rows_of in [sites, windows, exemptions, changes] {
        let rows = rows_of(next, dialect);
        if old.is_none_or(|old| rows_of(old, dialect) != rows) {
            put(tx, prefix, rows).await?;
        }
    }
    Ok(())
}

async fn put(tx: &mut Tx<'_>, prefix: &TablePrefix, mirrored: Mirrored) -> Result<(), Trouble> {
    let table = prefix.table(mirrored.table);
    tx.run(&format!("DELETE FROM {table}"), Vec::new()).await?;
    let names: Vec<&str> = mirrored.columns.iter().map(|(name, _)| *name).collect();
    let time = tx.dialect().time_placeholder();
    let places: Vec<&str> = mirrored
        .columns
        .iter()
        .map(|(_, is_time)| if *is_time { time } else { "?" })
        .collect();
    let one = format!("(?, {})", places.join(", "));
    let mut rows = mirrored.rows.into_iter().enumerate().peekable();
    while rows.peek().is_some() {
        let mut values = Vec::new();
        let mut count = 0;
        for (position, row) in rows.by_ref().take(ROWS_PER_STATEMENT) {
            values.push(Value::int(i64::try_from(position).unwrap_or(i64::MAX)));
            values.extend(row);
            count += 1;
        }
        let sql = format!(
            "INSERT INTO {table} (position, {}) VALUES {}",
            names.join(", "),
            vec![one.as_str(); count].join(", ")
        );
        tx.run(&sql, values).await?;
    }
    Ok(())
}

/// PostgreSQL's text has no zero character.
fn text(text: impl AsRef<str>) -> Value {
    Value::Text(Some(text.as_ref().replace('\0', "\u{fffd}")))
}

fn maybe(value: Option<impl AsRef<str>>) -> Value {
    value.map_or(Value::Text(None), text)
}

fn time(at: Option<Timestamp>, dialect: Dialect) -> Value {
    let kept = at.filter(|at| (TIMES.0..=TIMES.1).contains(&at.as_millis()));
    Value::Text(kept.map(|at| match dialect {
        Dialect::MySql => at.to_string().replace('T', " ").replace('Z', ""),
        Dialect::Postgres | Dialect::Sqlite => at.to_string(),
    }))
}

fn sites(state: &State, dialect: Dialect) -> Mirrored {
    let rows = state.sites.iter().map(|(name, site)| {
        vec![
            text(name.as_str()),
            text(site.mode.as_str()),
            maybe(site.activation.map(|activation| activation.id.to_string())),
            time(site.activation.map(|activation| activation.since), dialect),
            maybe(site.message.as_ref().map(Message::as_str)),
            time(site.expected_end, dialect),
            Value::Int(site.retry_after.map(i64::from)),
            maybe(site.by.as_ref()),
            maybe(site.why.as_ref()),
        ]
    });
    Mirrored {
        table: "site",
        columns: SITE,
        rows: rows.collect(),
    }
}

fn windows(state: &State, dialect: Dialect) -> Mirrored {
    let windows = state
        .sites
        .iter()
        .flat_map(|(name, site)| site.windows.iter().map(move |window| (name, window)));
    let rows = windows.map(|(name, window)| {
        vec![
            text(name.as_str()),
            text(window.id().to_string()),
            text(window.mode().as_str()),
            time(window.start(), dialect),
            time(window.end(), dialect),
            maybe(window.text().map(Message::as_str)),
            Value::Bool(window.is_enabled()),
        ]
    });
    Mirrored {
        table: "window",
        columns: WINDOW,
        rows: rows.collect(),
    }
}

fn exemptions(state: &State, _: Dialect) -> Mirrored {
    let rows = state.sites.iter().flat_map(|(name, site)| {
        let paths = site.exemptions.paths.iter().map(|path| ("path", path));
        let addresses = site.exemptions.addresses.iter();
        let addresses = addresses.map(|address| ("address", address));
        paths
            .chain(addresses)
            .map(move |(kind, value)| vec![text(name.as_str()), text(kind), text(value)])
    });
    Mirrored {
        table: "exemption",
        columns: EXEMPTION,
        rows: rows.collect(),
    }
}

fn changes(state: &State, dialect: Dialect) -> Mirrored {
    let rows = state.log.iter().map(|change| {
        vec![
            time(Some(change.at), dialect),
            Value::int(i64::try_from(change.revision).unwrap_or(i64::MAX)),
            text(change.site.as_str()),
            text(word(change.action)),
            text(change.from.as_str()),
            text(change.to.as_str()),
            maybe(change.by.as_ref()),
            maybe(change.via.as_ref()),
            maybe(change.why.as_ref()),
        ]
    });
    Mirrored {
        table: "change",
        columns: CHANGE,
        rows: rows.collect(),
    }
}

/// The word that the record has for it.
fn word(action: Action) -> String {
    let word = serde_json::to_value(action).unwrap_or_default();
    word.as_str().unwrap_or("other").to_owned()
}
