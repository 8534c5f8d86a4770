//! What `on` and `off` report.

use std::sync::Arc;

use jiff::tz::TimeZone;
use maintenance_mode::live::{Changed, SiteStatus, Status};
use maintenance_mode::state::{Action, Change, Version};
use maintenance_mode::{Mode, SiteName, Snapshot, Timestamp};
use serde::Serialize;

use super::fleet;
use super::sites::command_to_open;
use super::status::mode_styled;
use crate::arguments::Wait;
use crate::exit::{Exit, Failure};
use crate::output::{DIM, Output, field, styled, visible};
use crate::settings::Settings;
use crate::when;

/// An order that was carried out, with what the sites do now.
#[derive(Debug, Serialize)]
pub(super) struct Switched {
    changed: bool,
    #[serde(flatten)]
    version: Version,
    backend: String,
    notes: Vec<String>,
    warnings: Vec<String>,
    /// The sites of the order.
    sites: Vec<SiteStatus>,
    /// How many instances have followed; `None` if nobody waited for them, or not all have.
    #[serde(skip_serializing_if = "Option::is_none")]
    followed_by: Option<usize>,
    #[serde(skip)]
    log: Vec<Change>,
    #[serde(skip)]
    now: Timestamp,
}

impl Switched {
    pub(super) fn new(
        settings: &Settings,
        sites: &[SiteName],
        changed: Changed,
        now: Timestamp,
    ) -> Self {
        let log = changed
            .state
            .iter()
            .flat_map(|state| &state.log)
            .filter(|change| changed.changed && change.revision == changed.version.revision)
            .cloned()
            .collect();
        let backend = settings.backend_in_words().unwrap_or_default();
        let nobody = followed_by_nobody(settings, &backend, &changed);
        let snapshot = Snapshot::new(Arc::clone(&settings.policy), changed.state);
        let mut status = Status::of(&snapshot, now, backend);
        let warnings = nobody
            .into_iter()
            .chain(unknown_hosts(settings, &status))
            .chain(std::mem::take(&mut status.warnings))
            .collect();
        status.sites.retain(|site| sites.contains(&site.site));
        Self {
            changed: changed.changed,
            version: changed.version,
            backend: status.backend,
            notes: changed.notes,
            warnings,
            sites: status.sites,
            followed_by: None,
            log,
            now,
        }
    }

    /// Reports, and waits for the instances if that was ordered.
    ///
    /// # Errors
    ///
    /// Not every instance has followed in time, or it cannot be known. The order holds all the same.
    pub(super) async fn finish(
        &mut self,
        settings: &Settings,
        wait: &Wait,
        zone: &TimeZone,
        output: &mut Output,
    ) -> Result<Exit, Failure> {
        if !wait.wait {
            self.report(settings, zone, output);
            return Ok(Exit::Done);
        }
        // People read meanwhile what has been done; programs get one answer at the end.
        if !output.json {
            self.report(settings, zone, output);
        }
        let waited = fleet::wait(settings, self.version, wait.timeout, output).await;
        if output.json {
            self.followed_by = waited.as_ref().ok().copied();
            self.report(settings, zone, output);
        }
        let instances = waited.map_err(|failure| Failure {
            message: format!("{}; the order holds all the same", failure.message),
            ..failure
        })?;
        self.still_holds(settings).await?;
        if !output.json {
            let all = match instances {
                1 => "the one instance has".to_owned(),
                more => format!("all {more} instances have"),
            };
            output.line(field(
                "followed",
                format_args!("{all} followed, and nothing from before is running"),
            ));
        }
        Ok(Exit::Done)
    }

    /// Whoever was waited for may have followed a later order of somebody else.
    async fn still_holds(&self, settings: &Settings) -> Result<(), Failure> {
        let backend = settings.backend()?;
        let state = backend
            .load()
            .await
            .map_err(|error| Failure::unread(&error))?;
        let snapshot = Snapshot::new(Arc::clone(&settings.policy), state.map(Arc::new));
        let now = when::now();
        for site in &self.sites {
            let mode = snapshot.site(&site.site, now).map(|view| view.mode);
            if mode != Some(site.mode) {
                let mode = mode.map_or_else(|| "unknown".to_owned(), |mode| mode.to_string());
                return Err(Failure::failed(format!(
                    "{} was {} by this order and is {mode} now: somebody has switched it meanwhile",
                    site.site, site.mode
                )));
            }
        }
        Ok(())
    }

    fn report(&self, settings: &Settings, zone: &TimeZone, output: &mut Output) {
        for note in &self.notes {
            output.note(note);
        }
        for warning in &self.warnings {
            output.warning(warning);
        }
        if output.json {
            return output.json(self);
        }
        for site in &self.sites {
            output.line(self.headline(site, zone));
            if site.mode == Mode::Online {
                continue;
            }
            if let Some(message) = &site.message {
                output.line(field("message", visible(message.as_str())));
            }
            if let Some(end) = site.ends_at {
                let end = when::with_distance(end, self.now, zone);
                output.line(field(
                    "expected",
                    format_args!("{end}; it does not open by itself"),
                ));
            }
            if let Some(id) = site.activation {
                let command = command_to_open(settings, &site.site, id);
                output.line(field("activation", id));
                output.line(field("to open", styled(DIM, command)));
            }
        }
        output.line(field(
            "revision",
            format_args!("{} in {}", self.version.revision, self.backend),
        ));
    }

    fn headline(&self, site: &SiteStatus, zone: &TimeZone) -> String {
        let name = &site.site;
        let mode = mode_styled(site.mode);
        let since = match site.since {
            Some(since) => format!(" since {}", when::with_distance(since, self.now, zone)),
            None => String::new(),
        };
        match self.log.iter().find(|change| change.site == *name) {
            None => format!("{name}: already {mode}{since}"),
            Some(Change {
                action: Action::Mode,
                from,
                ..
            }) => format!("{name}: {mode}, was {from}"),
            Some(Change {
                action: Action::Notice,
                ..
            }) => format!("{name}: still {mode}{since}; what visitors are told has changed"),
            Some(_) => format!("{name}: {mode}"),
        }
    }

    /// Adds something that the operator may not want.
    pub(super) fn warn(&mut self, warning: Option<String>) {
        self.warnings.extend(warning);
    }
}

/// Closing one site closes more than it says, unless it is configured otherwise.
fn unknown_hosts(settings: &Settings, status: &Status) -> Option<String> {
    let is_open = |site: &SiteStatus| site.mode == Mode::Online;
    let some_open = status.sites.iter().any(is_open);
    let some_closed = !status.sites.iter().all(is_open);
    (some_open && some_closed && settings.policy.closes_unknown_hosts()).then(|| {
        "hosts that no site claims are closed too while any site is, so that a forged Host does not reach the closed \
         one; `host.unknown = \"open\"` in the configuration changes that"
            .to_owned()
    })
}

/// A first record in a folder that nobody has named is perhaps one that no application follows.
fn followed_by_nobody(settings: &Settings, backend: &str, changed: &Changed) -> Option<String> {
    (changed.changed && changed.version.revision == 1 && settings.is_anywhere()).then(|| {
        format!(
            "there is no configuration here, so that {backend} was made; if the application does not run in this \
             folder, it does not follow it: name its configuration with --config"
        )
    })
}
