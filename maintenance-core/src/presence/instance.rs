//! What instances of the application say of themselves.

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::{Held, LeaseKind, LeaseName, PresenceBackend};
use crate::backend::BackendError;
use crate::state::Version;

/// An instance that has said nothing for so long does not run as it should: it says something every second.
pub const SILENT_AFTER: Duration = Duration::from_secs(6);

/// How long an instance is remembered that has ended without taking leave: killed, or cut off.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// More instances than anybody runs; of more, the oldest are seen.
const MOST_INSTANCES: usize = 10_000;

/// What an instance says of itself, about once a second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct InstanceReport {
    /// The machine's name.
    pub host: String,
    /// The number of the process there.
    pub process: u32,
    /// The program's name.
    pub program: String,
    /// The state that requests are decided by; `None` if there was none yet.
    pub applied: Option<Version>,
    /// Every request that is running was decided by this state or a later one.
    pub settled: Option<Version>,
    /// Requests that are running.
    pub in_flight: u64,
    /// Upgraded connections that are open.
    pub upgraded: u64,
    /// Milliseconds since the state was read well; `None`: never.
    pub read_ms_ago: Option<u64>,
    /// Why the last read failed, if it did.
    pub error: Option<String>,
}

/// An instance, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Instance {
    /// Its random name.
    pub id: LeaseName,
    /// How long it runs already; in seconds, as JSON.
    #[serde(rename = "age_seconds", serialize_with = "as_seconds")]
    pub age: Duration,
    /// How long it has said nothing; in seconds, as JSON.
    #[serde(rename = "silent_seconds", serialize_with = "as_seconds")]
    pub silent_for: Duration,
    /// What it said last; `None` if it speaks another language: a newer version of this crate.
    pub report: Option<InstanceReport>,
}

fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 10.0).round() / 10.0)
}

/// What keeps an instance from having carried out a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "standing")]
#[non_exhaustive]
pub enum Standing {
    /// Nothing: it decides by the new state, and no request from before is running.
    Settled,
    /// It decides by the new state; some of its requests were admitted before.
    Draining {
        /// All requests that it runs, those that were admitted since among them.
        in_flight: u64,
    },
    /// It decides by an older state.
    Behind,
    /// It has not been heard of for longer than [`SILENT_AFTER`]; what it does cannot be known.
    Silent,
    /// What it says cannot be read.
    Unreadable,
}

impl Instance {
    /// Reads the lease of an instance, which was renewed when it had [`REMEMBERED_FOR`] left.
    fn from_held(held: Held) -> Self {
        Self {
            id: held.key.name,
            age: held.age,
            silent_for: REMEMBERED_FOR.saturating_sub(held.left),
            report: serde_json::from_str(&held.note).ok(),
        }
    }

    /// Where it stands with the change that made this state.
    #[must_use]
    pub fn standing(&self, wanted: Version) -> Standing {
        let reaches = |version: Option<Version>| {
            version.is_some_and(|at| at.epoch == wanted.epoch && at.revision >= wanted.revision)
        };
        match &self.report {
            _ if self.silent_for > SILENT_AFTER => Standing::Silent,
            None => Standing::Unreadable,
            Some(report) if !reaches(report.applied) => Standing::Behind,
            Some(report) if reaches(report.settled) => Standing::Settled,
            Some(report) => Standing::Draining {
                in_flight: report.in_flight,
            },
        }
    }

    /// What to call it: the machine and the process, or its random name.
    #[must_use]
    pub fn label(&self) -> String {
        self.report.as_ref().map_or_else(
            || self.id.to_string(),
            |report| format!("{} on {}:{}", report.program, report.host, report.process),
        )
    }
}

/// Every instance that has a lease, oldest first.
///
/// # Errors
///
/// They cannot be read.
pub async fn instances(presence: &dyn PresenceBackend) -> Result<Vec<Instance>, BackendError> {
    let held = presence
        .list(LeaseKind::Instance, None, MOST_INSTANCES)
        .await?;
    Ok(held.into_iter().map(Instance::from_held).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Epoch;

    fn version(epoch: u64, revision: u64) -> Version {
        Version {
            epoch: Epoch::from_bits(epoch),
            revision,
        }
    }

    fn instance(applied: Option<Version>, settled: Option<Version>) -> Instance {
        Instance {
            id: "a".parse().expect("a good name"),
            age: Duration::ZERO,
            silent_for: Duration::ZERO,
            report: Some(InstanceReport {
                applied,
                settled,
                in_flight: 3,
                ..InstanceReport::default()
            }),
        }
    }

    #[test]
    fn settled_takes_the_new_state_and_nothing_from_before() {
        let wanted = version(1, 7);
        for (applied, settled, expected) in [
            (None, None, Standing::Behind),
            (Some(version(1, 6)), Some(version(1, 6)), Standing::Behind),
            (Some(version(2, 9)), Some(version(2, 9)), Standing::Behind),
            (
                Some(version(1, 7)),
                None,
                Standing::Draining { in_flight: 3 },
            ),
            (
                Some(version(1, 9)),
                Some(version(1, 6)),
                Standing::Draining { in_flight: 3 },
            ),
            (Some(version(1, 7)), Some(version(1, 7)), Standing::Settled),
            (Some(version(1, 9)), Some(version(1, 8)), Standing::Settled),
        ] {
            assert_eq!(instance(applied, settled).standing(wanted), expected);
        }
    }

    #[test]
    fn who_is_silent_or_not_understood_is_never_settled() {
        let wanted = version(1, 7);
        let mut silent = instance(Some(wanted), Some(wanted));
        silent.silent_for = SILENT_AFTER + Duration::from_millis(1);
        assert_eq!(silent.standing(wanted), Standing::Silent);
        silent.silent_for = Duration::ZERO;
        silent.report = None;
        assert_eq!(silent.standing(wanted), Standing::Unreadable);
    }
}
