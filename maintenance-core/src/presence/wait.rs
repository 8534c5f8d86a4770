//! Waiting until every instance has carried out a change.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Instance, LeaseName, PresenceBackend, Standing, instances};
use crate::backend::BackendError;
use crate::state::Version;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(50);

/// After so long without a sign of anybody, nobody will come.
const NOBODY_AFTER: Duration = Duration::from_secs(3);

/// How waiting for a fleet ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Waited {
    /// Every instance decides by the new state, and no request that was admitted before is running.
    Settled {
        /// How many instances there are.
        instances: usize,
    },
    /// The time is over, and these have not, or it cannot be known.
    Outstanding(Vec<(Instance, Standing)>),
    /// No instance has said that it lives: none runs, or none that says so. What is running cannot be
    /// known.
    Nobody,
    /// The time is over, and the store could not be read at last.
    Unreadable(BackendError),
}

/// Waits until every instance has settled at `wanted`, at most this long. `progress` is told, each time
/// that it was looked, what every instance is about.
///
/// Whoever was seen once must settle or take leave: an instance that falls silent meanwhile is outstanding
/// and never taken for done.
pub async fn wait_until_settled(
    presence: &dyn PresenceBackend,
    wanted: Version,
    within: Duration,
    mut progress: impl FnMut(&[(Instance, Standing)]),
) -> Waited {
    let began = Instant::now();
    let until = began + within;
    let mut silent: BTreeMap<LeaseName, Instance> = BTreeMap::new();
    loop {
        let seen = instances(presence).await;
        let outcome = match seen {
            Err(error) => Waited::Unreadable(error),
            Ok(seen) => {
                let fleet = standings(seen, wanted, &mut silent);
                progress(&fleet);
                judged(fleet)
            }
        };
        let is_over = match outcome {
            Waited::Settled { .. } => true,
            Waited::Nobody => began.elapsed() >= NOBODY_AFTER.min(within),
            _ => Instant::now() >= until,
        };
        if is_over {
            return outcome;
        }
        tokio::time::sleep(EVERY.min(until.saturating_duration_since(Instant::now()))).await;
    }
}

/// Everybody who is there, and everybody who was silent when he was last seen and is forgotten since.
fn standings(
    seen: Vec<Instance>,
    wanted: Version,
    silent: &mut BTreeMap<LeaseName, Instance>,
) -> Vec<(Instance, Standing)> {
    let mut fleet = Vec::with_capacity(seen.len());
    for instance in seen {
        let standing = instance.standing(wanted);
        if standing == Standing::Silent {
            silent.insert(instance.id.clone(), instance.clone());
        } else {
            silent.remove(&instance.id);
        }
        fleet.push((instance, standing));
    }
    let is_forgotten = |lost: &&Instance| fleet.iter().all(|(seen, _)| seen.id != lost.id);
    let forgotten: Vec<_> = silent.values().filter(is_forgotten).cloned().collect();
    fleet.extend(forgotten.into_iter().map(|lost| (lost, Standing::Silent)));
    fleet
}

fn judged(fleet: Vec<(Instance, Standing)>) -> Waited {
    if fleet.is_empty() {
        return Waited::Nobody;
    }
    let instances = fleet.len();
    let outstanding: Vec<_> = fleet
        .into_iter()
        .filter(|(_, standing)| *standing != Standing::Settled)
        .collect();
    if outstanding.is_empty() {
        Waited::Settled { instances }
    } else {
        Waited::Outstanding(outstanding)
    }
}
