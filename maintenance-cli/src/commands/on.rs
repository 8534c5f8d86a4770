//! `maintenance on`.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;
use maintenance_mode::state::Message;
use maintenance_mode::{Mode, On, Timestamp};

use super::sites::chosen;
use super::switched::Switched;
use crate::arguments::{Global, OnArguments};
use crate::author::author;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::settings::Settings;
use crate::when;

/// Search engines take a 503 for a pause that long, and for the end of the page beyond.
const PATIENCE_OF_CRAWLERS: Duration = Duration::from_secs(86_400);

pub(super) async fn run(
    global: &Global,
    arguments: OnArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let settings = Settings::load(global, output)?;
    let sites = chosen(&arguments.sites, "maintenance on", &settings)?;
    let now = when::now();
    let zone = TimeZone::system();
    let end = end(&arguments, now, &zone)?;
    let mode = arguments.mode;
    let order = On::mode(mode)
        .message(message(&arguments)?)
        .ends_at(end)
        .retry_after(arguments.retry_after)
        .why(arguments.why.clone());
    let changed = settings
        .control()?
        .on(&sites, &order, &author(arguments.by.clone()), now)
        .await?;
    let mut switched = Switched::new(&settings, &sites, changed, now);
    if let Some(end) = end {
        switched.warn(too_long(mode, now.until(end)));
    }
    switched
        .finish(&settings, &arguments.wait, &zone, output)
        .await
}

fn end(
    arguments: &OnArguments,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Option<Timestamp>, Failure> {
    if let Some(duration) = arguments.duration {
        return Ok(Some(when::end_of(duration, now)));
    }
    let Some(text) = &arguments.until else {
        return Ok(None);
    };
    let end =
        when::time(text, now, zone).map_err(|error| Failure::usage(format!("--until: {error}")))?;
    if end <= now {
        return Err(Failure::usage(format!(
            "--until: {} is not in the future",
            when::with_distance(end, now, zone)
        )));
    }
    Ok(Some(end))
}

fn message(arguments: &OnArguments) -> Result<Option<Message>, Failure> {
    let Some(file) = &arguments.message_file else {
        return Ok(arguments.message.clone());
    };
    let place = || format!("--message-file {}", file.display());
    let text = read(file).map_err(|error| Failure::usage(format!("{}: {error}", place())))?;
    Message::new(text.trim_end().replace("\r\n", "\n"))
        .map(Some)
        .map_err(|error| Failure::usage(format!("{}: {error}", place())))
}

fn read(file: &Path) -> std::io::Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        Ok(text)
    } else {
        std::fs::read_to_string(file)
    }
}

fn too_long(mode: Mode, length: Duration) -> Option<String> {
    (mode != Mode::ReadOnly && length > PATIENCE_OF_CRAWLERS).then(|| {
        format!(
            "planned for {}: search engines take pages out that answer 503 for longer than a day or two; \
             keep at least /robots.txt open with allow.paths",
            when::rough(length)
        )
    })
}
