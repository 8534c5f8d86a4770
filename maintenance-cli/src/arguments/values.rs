//! Values that are checked while the command line is read, so that the mistake is named beside the option.

use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use maintenance_mode::Mode;

use crate::when;

/// Modes, `read-only` also spelled as in JSON.
fn modes(names: &[(&'static str, &'static str)]) -> impl TypedValueParser<Value = Mode> + use<> {
    let values: Vec<PossibleValue> = names
        .iter()
        .map(|(name, help)| {
            let value = PossibleValue::new(*name).help(*help);
            if *name == "read-only" {
                value.alias("read_only")
            } else {
                value
            }
        })
        .collect();
    PossibleValuesParser::new(values).try_map(|text| text.parse::<Mode>())
}

const CLOSED: [(&str, &str); 4] = [
    ("offline", "closed"),
    ("read-only", "methods that only read pass"),
    (
        "pending",
        "closing: who is inside may finish, nobody new comes in",
    ),
    (
        "paused",
        "requests are held for a bounded time, then go on or are refused",
    ),
];

/// The modes of a site that is not open.
pub(super) fn closed_mode() -> impl TypedValueParser<Value = Mode> {
    modes(&CLOSED)
}

/// Every mode.
pub(super) fn any_mode() -> impl TypedValueParser<Value = Mode> {
    let mut all = vec![("online", "open")];
    all.extend(CLOSED);
    modes(&all)
}

/// The modes that a new record may begin with.
pub(super) fn plain_mode() -> impl TypedValueParser<Value = Mode> {
    modes(&[
        ("online", "every site is open"),
        ("offline", "every site is closed"),
    ])
}

pub(super) fn duration(text: &str) -> Result<Duration, when::WhenError> {
    when::duration(text)
}

/// `Name: value`.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.is_empty() && !name.contains(char::is_whitespace) => {
            Ok((name.to_owned(), value.trim().to_owned()))
        }
        _ => Err("write 'Name: value'".to_owned()),
    }
}

/// `NAME=MODE`.
pub(super) fn site_mode(text: &str) -> Result<(maintenance_mode::SiteName, Mode), String> {
    let (name, mode) = text
        .split_once('=')
        .ok_or("write NAME=MODE, such as shop=offline")?;
    let name = name.parse().map_err(|error| format!("{error}"))?;
    let mode = mode.parse().map_err(|error| format!("{error}"))?;
    Ok((name, mode))
}
