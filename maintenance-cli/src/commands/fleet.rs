//! The instances: which there are, and waiting until all of them have carried out a change.

use std::io::IsTerminal as _;
use std::time::Duration;

use maintenance_mode::presence::{
    Instance, PresenceBackend, Standing, Waited, instances, wait_until_settled,
};
use maintenance_mode::state::Version;

use crate::exit::Failure;
use crate::output::{BAD, GOOD, ODD, Output, field, styled, visible};
use crate::settings::Settings;
use crate::when;

/// How often a log is told that the waiting goes on.
const REMIND_EVERY: Duration = Duration::from_secs(5);

/// Every instance that has said that it lives; `None` where the backend keeps no leases.
pub(super) async fn known(settings: &Settings) -> Option<Result<Vec<Instance>, String>> {
    let presence = settings.backend().ok()?.presence().ok()?;
    let known = instances(&*presence).await;
    Some(known.map_err(|error| error.to_string()))
}

/// One line an instance.
pub(super) fn report(known: &[Instance], stored: Option<Version>, output: &mut Output) {
    if known.is_empty() {
        return output.line(field(
            "instances",
            "none has said that it lives; an application says so every second",
        ));
    }
    for instance in known {
        output.line(field("instance", line(instance, stored)));
    }
}

fn line(instance: &Instance, stored: Option<Version>) -> String {
    let label = visible(&instance.label());
    let standing = match stored {
        Some(stored) => shown(instance, instance.standing(stored)),
        None => "lives".to_owned(),
    };
    let Some(report) = &instance.report else {
        return format!("{label}: {standing}");
    };
    let mut line = format!("{label}: {standing}, {} in flight", report.in_flight);
    if report.upgraded > 0 {
        line.push_str(&format!(", {} upgraded", report.upgraded));
    }
    if let Some(error) = &report.error {
        line.push_str(&format!("; {}", styled(BAD, visible(error))));
    }
    line
}

fn shown(instance: &Instance, standing: Standing) -> String {
    match standing {
        Standing::Settled => styled(GOOD, "up to date"),
        Standing::Draining { .. } => styled(ODD, "up to date, older requests are still running"),
        Standing::Behind => styled(BAD, "behind"),
        Standing::Silent => styled(
            BAD,
            format_args!("silent for {}", when::rough(instance.silent_for)),
        ),
        _ => styled(BAD, "says what this program does not understand"),
    }
}

/// Waits until every instance has settled at `wanted`.
///
/// # Errors
///
/// It is not so in time, or cannot be known. The sites stay as they were switched; the message says so.
pub(super) async fn wait(
    settings: &Settings,
    wanted: Version,
    within: Duration,
    output: &mut Output,
) -> Result<usize, Failure> {
    let presence = presence(settings)?;
    let waited = watch(&*presence, wanted, within, output).await;
    match waited {
        Waited::Settled { instances } => Ok(instances),
        Waited::Outstanding(outstanding) => Err(not_settled(&outstanding, within)),
        Waited::Nobody => Err(Failure::unknown(
            "no instance has said that it lives, so it is not known whether one runs; an application says so \
             through the same backend every second",
        )),
        Waited::Unreadable(error) => Err(Failure::unknown(format!(
            "where the instances stand cannot be read: {error}"
        ))),
        _ => Err(Failure::unknown("where the instances stand is not known")),
    }
}

fn presence(settings: &Settings) -> Result<std::sync::Arc<dyn PresenceBackend>, Failure> {
    settings.backend()?.presence().map_err(|error| {
        Failure::unknown(format!(
            "{error}; whether every instance has followed cannot be known with this backend"
        ))
    })
}

/// On a terminal one line that changes, elsewhere a line whenever something has changed.
async fn watch(
    presence: &dyn PresenceBackend,
    wanted: Version,
    within: Duration,
    output: &mut Output,
) -> Waited {
    let terminal = std::io::stderr().is_terminal();
    let began = std::time::Instant::now();
    let mut said = (String::new(), began);
    let waited = wait_until_settled(presence, wanted, within, |fleet| {
        let now = summary(fleet);
        let changed = said.0 != now;
        if terminal {
            output.progress(format_args!("{now}, {} s", began.elapsed().as_secs()));
        } else if changed || said.1.elapsed() >= REMIND_EVERY {
            output.note(&now);
        } else {
            return;
        }
        said = (now, std::time::Instant::now());
    })
    .await;
    if terminal {
        output.end_progress();
    }
    waited
}

fn summary(fleet: &[(Instance, Standing)]) -> String {
    let settled = fleet
        .iter()
        .filter(|(_, standing)| *standing == Standing::Settled);
    let running: u64 = fleet
        .iter()
        .filter_map(|(_, standing)| match standing {
            Standing::Draining { in_flight } => Some(in_flight),
            _ => None,
        })
        .sum();
    let mut text = format!(
        "{} of {} instances have followed",
        settled.count(),
        fleet.len()
    );
    if running > 0 {
        text.push_str(&format!("; {running} requests are running"));
    }
    text
}

fn not_settled(outstanding: &[(Instance, Standing)], within: Duration) -> Failure {
    let unknown = outstanding
        .iter()
        .any(|(_, standing)| !matches!(standing, Standing::Behind | Standing::Draining { .. }));
    let each: Vec<String> = outstanding
        .iter()
        .map(|(instance, standing)| {
            let label = visible(&instance.label());
            match standing {
                Standing::Draining { in_flight } => {
                    format!("{label} still runs older requests ({in_flight} in flight)")
                }
                Standing::Behind => format!("{label} has not followed"),
                Standing::Silent => format!(
                    "{label} has said nothing for {}, so it is not known what it does",
                    when::rough(instance.silent_for)
                ),
                _ => format!("{label} says what this program does not understand"),
            }
        })
        .collect();
    let message = format!(
        "not all instances have followed within {}: {}",
        when::rough(within),
        each.join("; ")
    );
    if unknown {
        Failure::unknown(message)
    } else {
        Failure::failed(message)
    }
}
