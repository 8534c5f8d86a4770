//! What everybody may know of the switch.

use std::time::{Duration, SystemTime};

use maintenance_mode::live::Changes;
use maintenance_mode::{Maintenance, Mode, SiteName, Snapshot, Timestamp};
use serde_json::{Value, json};

use crate::Sessions;

/// A comment goes out this often, so that everybody on the way knows the stream to be alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Revision, modes and messages: not where the state is kept, nor who switched. And what is going on in
/// this process: requests in flight (whoever asks is one of them), upgraded connections, and how often the
/// maintenance has asked who a visitor is.
#[must_use]
pub fn public_status(maintenance: &Maintenance, sessions: &Sessions) -> Value {
    let snapshot = maintenance.snapshot();
    let in_flight = maintenance.in_flight();
    let now = Timestamp::from(SystemTime::now());
    let sites: Vec<Value> = snapshot
        .policy()
        .site_names()
        .filter_map(|name| {
            let site = snapshot.site(name, now)?;
            Some(json!({
                "site": name,
                "mode": site.mode,
                "message": site.message,
                "ends_at": site.ends_at,
                "next_change_at": site.next.map(|(at, _)| at),
                "next_mode": site.next.map(|(_, mode)| mode),
            }))
        })
        .collect();
    json!({
        "revision": snapshot.state().map_or(0, |state| state.revision),
        "sites": sites,
        "in_flight": { "requests": in_flight.count(), "upgraded": in_flight.upgraded() },
        "lookups": sessions.lookups(),
    })
}

/// The mode of the default site now.
#[must_use]
pub fn mode_in(snapshot: &Snapshot) -> Mode {
    let now = Timestamp::from(SystemTime::now());
    snapshot
        .site(&SiteName::default(), now)
        .map_or(Mode::Online, |site| site.mode)
}

/// The text of an event stream that tells when the mode changes.
#[derive(Debug)]
pub struct ModeEvents {
    first: Option<String>,
    changes: Changes,
}

impl ModeEvents {
    /// Begins with the mode as it is.
    #[must_use]
    pub fn new(maintenance: &Maintenance) -> Self {
        Self {
            changes: maintenance.changed(),
            first: Some(event(mode_in(&maintenance.snapshot()))),
        }
    }

    /// The next event or heartbeat, and the rest; `None` when the switch is no longer followed.
    pub async fn next(mut self) -> Option<(String, Self)> {
        let text = match self.first.take() {
            Some(first) => first,
            None => match tokio::time::timeout(HEARTBEAT, self.changes.next()).await {
                Ok(snapshot) => event(mode_in(&*snapshot?)),
                Err(_) => ": still here\n\n".to_owned(),
            },
        };
        Some((text, self))
    }
}

fn event(mode: Mode) -> String {
    format!("event: mode\ndata: {mode}\n\n")
}
