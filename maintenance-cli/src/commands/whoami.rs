//! `maintenance whoami`.

use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

use maintenance_mode::SiteName;
use maintenance_mode::explain::RequestLine;
use maintenance_mode::policy::{AddressSet, Complaints, Policy};
use serde::Serialize;

use crate::arguments::{Global, WhoamiArguments};
use crate::exit::{Exit, Failure};
use crate::output::{BOLD, Output, field, styled, visible};
use crate::settings::Settings;

#[derive(Serialize)]
struct Identity {
    client_ip: Option<IpAddr>,
    /// The same in words: with the reason, where there is none.
    client: String,
    steps: Vec<String>,
    /// The first address rule of each site that the address meets.
    rules: Vec<Rule>,
}

#[derive(Serialize)]
struct Rule {
    site: SiteName,
    rule: String,
}

pub(super) fn run(
    global: &Global,
    arguments: WhoamiArguments,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let settings = Settings::load(global, output)?;
    let line = request(arguments)?;
    let explanation = line.with_facts(|facts| settings.policy.client_ip().explain(facts));
    let known = explanation.client.known();
    let identity = Identity {
        client_ip: known,
        client: explanation.client.to_string(),
        steps: explanation.steps,
        rules: known.map_or_else(Vec::new, |address| met(&settings.policy, address)),
    };
    if output.json {
        output.json(&identity);
    } else {
        report(&identity, output);
    }
    Ok(if known.is_some() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn request(arguments: WhoamiArguments) -> Result<RequestLine, Failure> {
    let mut line = match &arguments.request {
        Some(file) => {
            let place = |error: &dyn std::fmt::Display| {
                Failure::usage(format!("{}: {error}", file.display()))
            };
            let text = read(file).map_err(|error| place(&error))?;
            serde_json::from_str(&text).map_err(|error| place(&error))?
        }
        None if arguments.facts.peer.is_none() => {
            return Err(Failure::usage(
                "who is at the other end of the connection? give --peer ADDR or --peer unix, and the headers with -H",
            ));
        }
        None => {
            let mut line = RequestLine::new("/");
            line.peer = arguments.facts.peer;
            line.headers = arguments.facts.headers;
            line
        }
    };
    line.target.get_or_insert_with(|| "/".to_owned());
    line.check()
        .map_err(|error| Failure::usage(error.to_string()))?;
    Ok(line)
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

/// The configured rules; those that were added at run time are in the backend, which is not asked.
fn met(policy: &Policy, address: IpAddr) -> Vec<Rule> {
    let config = policy.config();
    policy
        .site_names()
        .filter_map(|site| {
            let own = config.sites.get(site).map(|site| &site.allow.addresses);
            let entries = own
                .and_then(Option::as_ref)
                .or(config.allow.addresses.as_ref())?;
            let set = AddressSet::compile(entries, "allow.addresses", &mut Complaints::new());
            Some(Rule {
                site: site.clone(),
                rule: set.find(address)?.into_owned(),
            })
        })
        .collect()
}

fn report(identity: &Identity, output: &mut Output) {
    output.line(format_args!("client {}", styled(BOLD, &identity.client)));
    for (number, step) in identity.steps.iter().enumerate() {
        output.line(format_args!("  {:>2}. {}", number + 1, visible(step)));
    }
    if identity.rules.is_empty() {
        output.line("no rule in allow.addresses admits it");
    }
    for rule in &identity.rules {
        output.line(field(
            "admitted",
            format_args!("at site `{}` by {}", rule.site, rule.rule),
        ));
    }
}
