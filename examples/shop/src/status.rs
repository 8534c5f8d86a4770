//! What everybody may know of the switch.

use std::time::SystemTime;

use maintenance_mode::{Mode, SiteName, Snapshot, Timestamp};
use serde_json::{Value, json};

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

/// The event that tells an event stream of a mode.
#[must_use]
pub fn event(mode: Mode) -> String {
    format!("event: mode\ndata: {mode}\n\n")
}
