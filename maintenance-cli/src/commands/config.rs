//! `maintenance config`.

use maintenance_mode::policy::config::AllowConfig;
use maintenance_mode::policy::{Complaint, Complaints};
use maintenance_mode::{Mode, SiteName};
use serde::Serialize;

use super::status::nothing;
use crate::arguments::{ConfigCommand, Global};
use crate::exit::{Exit, Failure};
use crate::output::{GOOD, Output, field, styled};
use crate::settings::Settings;

pub(super) async fn run(
    global: &Global,
    command: &ConfigCommand,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Check { connect } => check(global, *connect, output).await,
        ConfigCommand::Show => show(global, output),
    }
}

#[derive(Serialize)]
struct Refused<'a> {
    usable: bool,
    complaints: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Said<'a> {
    place: &'a str,
    problem: &'a str,
    hint: Option<&'a str>,
}

impl<'a> From<&'a Complaint> for Said<'a> {
    fn from(complaint: &'a Complaint) -> Self {
        Self {
            place: complaint.place(),
            problem: complaint.problem(),
            hint: complaint.hint(),
        }
    }
}

/// Whatever opens the site to somebody.
#[derive(Serialize)]
struct Summary<'a> {
    usable: bool,
    file: Option<String>,
    backend: String,
    revision: Option<u64>,
    client_ip: &'a str,
    warnings: Vec<Said<'a>>,
    sites: Vec<SiteSummary<'a>>,
}

#[derive(Serialize)]
struct SiteSummary<'a> {
    site: &'a SiteName,
    hosts: &'a [String],
    mode: Option<Mode>,
    health: Vec<String>,
    paths: usize,
    addresses: usize,
    roles: Vec<String>,
    authenticated: bool,
    anonymous: bool,
    tests: bool,
    header: Option<String>,
}

async fn check(global: &Global, connect: bool, output: &mut Output) -> Result<Exit, Failure> {
    let (settings, warnings) = match Settings::read(global, output) {
        Ok(read) => read,
        Err(complaints) => {
            refuse(&complaints, output);
            return Ok(Exit::Usage);
        }
    };
    for warning in &warnings {
        output.warning(warning);
    }
    let mut backend = settings.url()?.to_string();
    let revision = if connect {
        let opened = settings.backend()?;
        backend = opened.describe();
        let state = opened
            .load()
            .await
            .map_err(|error| Failure::unread(&error))?;
        Some(state.map_or(0, |state| state.revision))
    } else {
        None
    };
    let config = settings.policy.config();
    let summary = Summary {
        usable: true,
        file: settings
            .file
            .as_ref()
            .map(|file| file.display().to_string()),
        backend,
        revision,
        client_ip: &config.client_ip.source,
        warnings: warnings.iter().map(Said::from).collect(),
        sites: settings
            .policy
            .site_names()
            .map(|site| summarise(&settings, site))
            .collect(),
    };
    if output.json {
        output.json(&summary);
    } else {
        report(&settings, &summary, output);
    }
    Ok(Exit::Done)
}

fn refuse(complaints: &Complaints, output: &mut Output) {
    for complaint in complaints {
        output.error(complaint);
    }
    if output.json {
        output.json(&Refused {
            usable: false,
            complaints: complaints.iter().map(Said::from).collect(),
        });
    }
}

fn summarise<'a>(settings: &'a Settings, site: &'a SiteName) -> SiteSummary<'a> {
    let config = settings.policy.config();
    let own = config.sites.get(site);
    let allow: AllowConfig = match own {
        Some(own) => config.allow.overlaid_by(&own.allow),
        None => config.allow.clone(),
    };
    let default_health = || {
        ["/healthz", "/livez", "/readyz"]
            .map(str::to_owned)
            .to_vec()
    };
    SiteSummary {
        site,
        hosts: own.map_or(&[], |own| own.hosts.as_slice()),
        mode: settings.policy.pinned_mode(site),
        health: allow.health.unwrap_or_else(default_health),
        paths: allow.paths.map_or(0, |paths| paths.len()),
        addresses: allow.addresses.map_or(0, |addresses| addresses.len()),
        roles: allow.roles.unwrap_or_default(),
        authenticated: allow.authenticated.unwrap_or(false),
        anonymous: allow.anonymous.unwrap_or(false),
        tests: allow.tests.unwrap_or(false),
        header: allow.header.map(|header| header.name),
    }
}

fn report(settings: &Settings, summary: &Summary<'_>, output: &mut Output) {
    let file = summary.file.as_deref().unwrap_or("the defaults");
    output.line(format_args!("{}: {file}", styled(GOOD, "usable")));
    match summary.revision {
        None => output.line(field("backend", &summary.backend)),
        Some(0) => output.line(field(
            "backend",
            format_args!("{}, readable, never changed", summary.backend),
        )),
        Some(revision) => output.line(field(
            "backend",
            format_args!("{}, readable, revision {revision}", summary.backend),
        )),
    }
    output.line(field(
        "client ip",
        format_args!("from {}", summary.client_ip),
    ));
    for site in &summary.sites {
        match site.hosts {
            [] if summary.sites.len() == 1 => output.line("exempt while the site is closed"),
            [] => output.line(format_args!(
                "site {}: every host that no other claims",
                site.site
            )),
            hosts => output.line(format_args!("site {}: {}", site.site, hosts.join(", "))),
        }
        report_site(settings, site, output);
    }
}

fn report_site(settings: &Settings, site: &SiteSummary<'_>, output: &mut Output) {
    if let Some(mode) = site.mode {
        let by = settings.pinned_by(site.site);
        output.line(field("mode", format_args!("pinned to {mode} by {by}")));
    }
    let mut opens = false;
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            opens = true;
            output.line(field(name, value));
        }
    };
    let list = |texts: &[String]| (!texts.is_empty()).then(|| texts.join(", "));
    let count = |number: usize, one: &str, many: &str| match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        number => Some(format!("{number} {many}")),
    };
    say("health", list(&site.health));
    say("paths", count(site.paths, "rule", "rules"));
    say("addresses", count(site.addresses, "network", "networks"));
    say("header", site.header.clone());
    say("roles", list(&site.roles));
    for (name, opens) in [
        ("authenticated", site.authenticated),
        ("anonymous", site.anonymous),
        ("tests", site.tests),
    ] {
        say("visitors", opens.then(|| name.to_owned()));
    }
    if !opens {
        output.line(field("exempt", nothing()));
    }
}

fn show(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let settings = Settings::load(global, output)?;
    let mut config = settings.policy.config().clone();
    // Shown as a URL, so that a password in it is masked.
    config.backend = Some(settings.url()?.to_string());
    if output.json {
        output.json(&config);
        return Ok(Exit::Done);
    }
    let text = toml::to_string(&config).map_err(|error| {
        Failure::failed(format!("the configuration cannot be written: {error}"))
    })?;
    output.raw(text.as_bytes());
    Ok(Exit::Done)
}
