//! What everybody may know of the switch.

use std::time::{Duration, SystemTime};

use maintenance_mode::live::Changes;
use maintenance_mode::{Maintenance, Mode, SiteName, Snapshot, Timestamp};
use serde_json::{Value, json};

/// A comment goes out this often, so that everybody on the way knows the stream to be alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Revision, modes and messages: not where the state is kept, nor who switched.
#[must_use]
pub fn public_status(snapshot: &Snapshot) -> Value {
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
    json!({ "revision": snapshot.state().map_or(0, |state| state.revision), "sites": sites })
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
