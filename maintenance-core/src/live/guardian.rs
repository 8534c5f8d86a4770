//! Opens what nobody holds closed any more.
//!
//! A command that closes a site and may die while it works renews an owner's lease. When that has ended,
//! whichever instance sees it first opens the site; the others find it open.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::control::{Author, Control, ControlError, Off};
use crate::presence::{LeaseKind, PresenceBackend};
use crate::state::{ActivationId, SiteName, State};
use crate::time::Timestamp;

/// How long an owner's lease may be missing before the site is opened: between the order and the lease, and
/// after a store that has lost its leases, there is none for a moment.
pub const OWNER_MISSED_AFTER: Duration = Duration::from_secs(5);

/// More owners than one site ever has.
const MOST_OWNERS: usize = 1_000;

/// Since when owners are missed.
#[derive(Debug, Default)]
pub(super) struct Guardian {
    missed: HashMap<ActivationId, Instant>,
}

impl Guardian {
    /// Looks for the owners of the sites that are held, and opens those that nobody holds.
    ///
    /// What cannot be read is not missed.
    pub(super) async fn look(
        &mut self,
        state: &State,
        presence: &dyn PresenceBackend,
        control: &Control,
        now: Timestamp,
    ) {
        let held = held_sites(state);
        self.missed
            .retain(|id, _| held.iter().any(|(_, held)| held == id));
        for (site, id) in held {
            let alive = is_owned(presence, &site, id).await;
            if alive != Some(false) {
                self.missed.remove(&id);
                continue;
            }
            let since = *self.missed.entry(id).or_insert_with(Instant::now);
            if since.elapsed() >= OWNER_MISSED_AFTER {
                open(control, site, id, now).await;
                self.missed.remove(&id);
            }
        }
    }
}

fn held_sites(state: &State) -> Vec<(SiteName, ActivationId)> {
    let held = state.sites.iter().filter(|(_, site)| site.held);
    held.filter_map(|(name, site)| Some((name.clone(), site.activation?.id)))
        .collect()
}

/// `None`: it cannot be told.
async fn is_owned(
    presence: &dyn PresenceBackend,
    site: &SiteName,
    id: ActivationId,
) -> Option<bool> {
    let id = id.to_string();
    let owners = presence
        .list(LeaseKind::Owner, Some(site), MOST_OWNERS)
        .await
        .ok()?;
    Some(owners.iter().any(|owner| owner.key.name.as_str() == id))
}

async fn open(control: &Control, site: SiteName, id: ActivationId, now: Timestamp) {
    let order = Off::default()
        .if_activation(Some(id))
        .why(Some("the command that held it closed has died".to_owned()));
    let author = Author::application();
    match control
        .off(std::slice::from_ref(&site), &order, &author, now)
        .await
    {
        Ok(_) => tracing::warn!(%site, "opened: the command that held it closed has died"),
        // Somebody was faster: another instance, or an operator.
        Err(ControlError::OtherActivation { .. }) => {}
        Err(error) => tracing::error!(
            %site,
            "the command that held it closed has died, and it cannot be opened: {error}"
        ),
    }
}
