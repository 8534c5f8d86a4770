//! `maintenance history`.

use clap::builder::styling::Style;
use jiff::tz::TimeZone;
use maintenance_mode::state::{Action, Change};
use serde::Serialize;

use crate::arguments::{Global, HistoryArguments};
use crate::exit::{Exit, Failure};
use crate::output::{DIM, Output, visible};
use crate::settings::Settings;
use crate::table::Table;
use crate::when;

#[derive(Serialize)]
struct History<'a> {
    backend: String,
    epoch: Option<String>,
    revision: u64,
    /// The latest first.
    changes: Vec<&'a Change>,
}

pub(super) async fn run(
    global: &Global,
    arguments: &HistoryArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let settings = Settings::load(global, output)?;
    for site in &arguments.sites {
        settings.known(site)?;
    }
    let backend = settings.backend()?;
    let state = backend
        .load()
        .await
        .map_err(|error| Failure::unread(&error))?;
    let changes: Vec<&Change> = state
        .iter()
        .flat_map(|state| &state.log)
        .rev()
        .filter(|change| arguments.sites.is_empty() || arguments.sites.contains(&change.site))
        .take(arguments.limit)
        .collect();
    if output.json {
        output.json(&History {
            backend: backend.describe(),
            epoch: state.as_ref().map(|state| state.epoch.to_string()),
            revision: state.as_ref().map_or(0, |state| state.revision),
            changes,
        });
    } else if changes.is_empty() {
        output.line("nothing was ever changed");
    } else {
        report(&changes, output);
    }
    Ok(Exit::Done)
}

fn report(changes: &[&Change], output: &mut Output) {
    let zone = TimeZone::system();
    let plain = Style::new();
    let mut table = Table::new(["WHEN", "REV", "SITE", "CHANGE", "BY", "VIA", "WHY"]);
    for change in changes {
        let text = |text: &Option<String>| visible(text.as_deref().unwrap_or_default());
        table.add([
            (when::absolute(change.at, &zone), plain),
            (change.revision.to_string(), DIM),
            (change.site.to_string(), plain),
            (what(change), plain),
            (text(&change.by), plain),
            (text(&change.via), DIM),
            (text(&change.why), plain),
        ]);
    }
    for line in table.lines() {
        output.line(line);
    }
}

fn what(change: &Change) -> String {
    match change.action {
        Action::Mode => format!("{} -> {}", change.from, change.to),
        Action::Notice => "notice".to_owned(),
        Action::Windows => "windows".to_owned(),
        Action::Exemptions => "exemptions".to_owned(),
        Action::Repair => format!("repaired: {}", change.to),
        _ => "other".to_owned(),
    }
}
