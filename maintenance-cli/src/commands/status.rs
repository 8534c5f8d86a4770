//! `maintenance status`.

use std::sync::Arc;

use jiff::tz::TimeZone;
use maintenance_mode::backend::BackendError;
use maintenance_mode::live::{Freshness, SiteStatus, Status};
use maintenance_mode::presence::Instance;
use maintenance_mode::{Mode, Snapshot, State, Timestamp};
use serde::Serialize;

use super::fleet;
use crate::arguments::{Global, StatusArguments};
use crate::exit::{Exit, Failure};
use crate::output::{BAD, DIM, GOOD, ODD, Output, field, styled, visible};
use crate::settings::Settings;
use crate::when;

pub(super) async fn run(
    global: &Global,
    arguments: &StatusArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let settings = Settings::load(global, output)?;
    for site in &arguments.sites {
        settings.known(site)?;
    }
    let now = when::now();
    let read = read(&settings).await?;
    let last_change = read
        .as_ref()
        .ok()
        .and_then(|state| state.as_ref()?.log.last())
        .map(|change| change.at);
    let stored = read
        .as_ref()
        .ok()
        .and_then(|state| Some(state.as_ref()?.version()));
    let mut status = status(&settings, read, now)?;
    if !arguments.sites.is_empty() {
        status
            .sites
            .retain(|site| arguments.sites.contains(&site.site));
    }
    let exit = exit(&settings, &status, arguments);
    let fleet = if status.error.is_none() {
        fleet::known(&settings).await
    } else {
        None
    };
    if output.json {
        let instances = fleet.as_ref().and_then(|known| known.as_ref().ok());
        output.json(&Answer {
            status: &status,
            instances: instances.map(Vec::as_slice),
        });
    } else {
        report(&settings, &status, now, last_change, output);
        if let Some(Ok(known)) = &fleet {
            fleet::report(known, stored, output);
        }
    }
    if let Some(Err(error)) = fleet {
        output.warning(format_args!(
            "where the instances stand cannot be read: {error}"
        ));
    }
    for warning in &status.warnings {
        output.warning(warning);
    }
    if let Some(error) = &status.error {
        output.error(error);
    }
    Ok(exit)
}

/// The status, and the instances that have said that they live.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    status: &'a Status,
    /// Left out where the backend keeps no leases, or they cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<&'a [Instance]>,
}

/// The record, or in words why it is not known.
async fn read(settings: &Settings) -> Result<Result<Option<State>, String>, Failure> {
    let backend = match settings.backend() {
        Ok(backend) => backend,
        Err(failure) if failure.exit == Exit::Unknown => return Ok(Err(failure.message)),
        Err(failure) => return Err(failure),
    };
    match backend.load().await {
        Ok(state) => Ok(Ok(state)),
        Err(error @ BackendError::Url(_)) => Err(error.into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// What is known. Without the record, of sites that the configuration pins only: nothing else is guessed.
fn status(
    settings: &Settings,
    read: Result<Option<State>, String>,
    now: Timestamp,
) -> Result<Status, Failure> {
    let policy = Arc::clone(&settings.policy);
    let backend = settings.backend_in_words()?;
    Ok(match read {
        Ok(state) => Status::of(&Snapshot::new(policy, state.map(Arc::new)), now, backend),
        Err(error) => {
            let mut status = Status::of(&Snapshot::new(policy, None), now, backend);
            status.sites.retain(|site| site.pinned);
            status.freshness = Freshness::NeverRead;
            status.age_seconds = None;
            status.error = Some(error);
            status
        }
    })
}

fn exit(settings: &Settings, status: &Status, arguments: &StatusArguments) -> Exit {
    let asked = if arguments.sites.is_empty() {
        settings.policy.site_names().count()
    } else {
        let mut names = arguments.sites.clone();
        names.sort_unstable();
        names.dedup();
        names.len()
    };
    if status.error.is_some() && status.sites.len() < asked {
        Exit::Unknown
    } else {
        status.strictest().into()
    }
}

fn report(
    settings: &Settings,
    status: &Status,
    now: Timestamp,
    last_change: Option<Timestamp>,
    output: &mut Output,
) {
    let zone = TimeZone::system();
    for site in &status.sites {
        report_site(settings, site, now, &zone, output);
    }
    if status.error.is_some() {
        output.line(format_args!(
            "{}: the record cannot be read, which is not the same as open",
            styled(BAD, "not known")
        ));
        return output.line(field("backend", &status.backend));
    }
    let record = match (status.revision, last_change) {
        (0, _) => "never changed".to_owned(),
        (revision, None) => format!("revision {revision}"),
        (revision, Some(at)) => {
            format!(
                "revision {revision} of {}",
                when::with_distance(at, now, &zone)
            )
        }
    };
    output.line(field(
        "backend",
        format_args!("{}, {record}", status.backend),
    ));
}

fn report_site(
    settings: &Settings,
    site: &SiteStatus,
    now: Timestamp,
    zone: &TimeZone,
    output: &mut Output,
) {
    let closed = site.mode != Mode::Online;
    let mode = mode_styled(site.mode);
    match site.since.filter(|_| closed) {
        Some(since) => {
            let since = when::with_distance(since, now, zone);
            output.line(format_args!("{}: {mode} since {since}", site.site));
        }
        None => output.line(format_args!("{}: {mode}", site.site)),
    }
    if site.pinned {
        let pinned = settings.pinned_by(&site.site);
        output.line(field(
            "pinned",
            format_args!("by {pinned}; on and off are refused"),
        ));
    }
    if closed {
        if let Some(by) = &site.by {
            output.line(field("by", visible(by)));
        }
        if let Some(why) = &site.why {
            output.line(field("why", visible(why)));
        }
        if let Some(message) = &site.message {
            output.line(field("message", visible(message.as_str())));
        }
        if let Some(end) = site.ends_at {
            output.line(field("expected", expected(site, end, now, zone)));
        }
        if let Some(id) = site.activation {
            output.line(field("activation", id));
        }
    }
    if let (Some(at), Some(mode)) = (site.next_change_at, site.next_mode) {
        let at = when::with_distance(at, now, zone);
        output.line(field("next", format_args!("{mode} from {at}")));
    }
}

fn expected(site: &SiteStatus, end: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    if site.overdue {
        let overdue = format!("overdue by {}", when::rough(end.until(now)));
        format!("{}, {}", when::absolute(end, zone), styled(ODD, overdue))
    } else {
        when::with_distance(end, now, zone)
    }
}

/// The mode in its colour.
pub(super) fn mode_styled(mode: Mode) -> String {
    let style = match mode {
        Mode::Online => GOOD,
        Mode::Offline => BAD,
        Mode::ReadOnly | Mode::Pending | Mode::Paused => ODD,
    };
    styled(style, mode)
}

/// What stands in place of a value that is not there.
pub(super) fn nothing() -> String {
    styled(DIM, "none")
}
