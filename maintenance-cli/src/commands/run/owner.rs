//! The lease by which this program holds sites closed.

use std::sync::Arc;
use std::time::Duration;

use maintenance_mode::SiteName;
use maintenance_mode::presence::{Holder, Lease, LeaseKey, LeaseKind, PresenceBackend};
use maintenance_mode::state::ActivationId;
use tokio::task::JoinHandle;

/// How long instances wait for a program that says nothing any more.
const LASTS: Duration = Duration::from_secs(30);

/// How often it says that it lives.
const EVERY: Duration = Duration::from_secs(2);

/// Longer than any renewal may take.
const WITHIN: Duration = Duration::from_secs(5);

/// Renews the leases until it is released or dropped.
pub(super) struct Owner {
    presence: Arc<dyn PresenceBackend>,
    keys: Vec<LeaseKey>,
    renewing: JoinHandle<()>,
}

impl Owner {
    /// Begins one lease for each site. A store that cannot be written now may be in a moment.
    pub(super) async fn begin(
        presence: Arc<dyn PresenceBackend>,
        sites: &[(SiteName, ActivationId)],
    ) -> Self {
        let key = |(site, id): &(SiteName, ActivationId)| {
            Some(LeaseKey {
                kind: LeaseKind::Owner,
                site: site.clone(),
                name: id.to_string().parse().ok()?,
            })
        };
        let keys: Vec<LeaseKey> = sites.iter().filter_map(key).collect();
        let lease = |key: &LeaseKey| Lease::new(key.clone(), Holder::EVERYBODY, LASTS).ok();
        let leases: Vec<Lease> = keys.iter().filter_map(lease).collect();
        renew(&*presence, &leases).await;
        let renewing = tokio::spawn({
            let presence = Arc::clone(&presence);
            async move {
                loop {
                    tokio::time::sleep(EVERY).await;
                    renew(&*presence, &leases).await;
                }
            }
        });
        Self {
            presence,
            keys,
            renewing,
        }
    }

    /// Ends the leases: the sites are open.
    pub(super) async fn release(self) {
        self.renewing.abort();
        let released = self.presence.release(Holder::EVERYBODY, &self.keys);
        // A lease that cannot be ended ends by itself, and holds nothing any more.
        let _ = tokio::time::timeout(WITHIN, released).await;
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

async fn renew(presence: &dyn PresenceBackend, leases: &[Lease]) {
    let renewed = tokio::time::timeout(WITHIN, presence.renew(leases)).await;
    let trouble = match renewed {
        Ok(Ok(_)) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", WITHIN.as_secs()),
    };
    eprintln!(
        "warning: the lease that holds the site closed cannot be renewed: {trouble}; without it the site opens \
         {} s after the last renewal",
        LASTS.as_secs()
    );
}
