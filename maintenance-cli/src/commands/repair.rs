//! `maintenance repair`.

use maintenance_mode::backend::BackendError;
use serde::Serialize;

use super::status::mode_styled;
use crate::arguments::{Global, RepairArguments};
use crate::author::author;
use crate::exit::{Exit, Failure};
use crate::output::{Output, field};
use crate::settings::Settings;
use crate::when;

#[derive(Serialize)]
struct Repaired {
    mode: maintenance_mode::Mode,
    epoch: String,
    revision: u64,
    backend: String,
    /// Where the old record went.
    notes: Vec<String>,
}

pub(super) async fn run(
    global: &Global,
    arguments: RepairArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let settings = Settings::load(global, output)?;
    let control = settings.control()?;
    match control.backend().load().await {
        Err(BackendError::Unreadable { .. } | BackendError::Vanished { .. }) => {}
        Ok(_) if arguments.force => {}
        Ok(None) => {
            return Err(Failure::failed(
                "there is nothing to repair: no record was ever made; `maintenance on` makes the first",
            ));
        }
        Ok(Some(state)) => {
            return Err(Failure::failed(format!(
                "there is nothing to repair: the record is readable, at revision {}; --force replaces it all the same",
                state.revision
            )));
        }
        Err(error) => return Err(Failure::failed(error.to_string())),
    }
    let changed = control
        .repair(arguments.mode, &author(arguments.by), when::now())
        .await?;
    let repaired = Repaired {
        mode: arguments.mode,
        epoch: changed.version.epoch.to_string(),
        revision: changed.version.revision,
        backend: control.backend().describe(),
        notes: changed.notes,
    };
    if output.json {
        output.json(&repaired);
    } else {
        output.line(format_args!(
            "repaired: a new record, every site {}",
            mode_styled(repaired.mode)
        ));
        for note in &repaired.notes {
            output.line(format_args!("  {note}"));
        }
        output.line(field(
            "revision",
            format_args!("{} in {}", repaired.revision, repaired.backend),
        ));
    }
    if settings.pinned_throughout().is_some() {
        output
            .note("the configuration pins the mode of every site, which holds whatever is stored");
    }
    Ok(Exit::Done)
}
