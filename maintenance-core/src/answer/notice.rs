//! What a site tells its visitors now.

use crate::state::{ActivationId, Message, Mode, SiteName};
use crate::time::Timestamp;

/// What a site tells its visitors now: taken from the state, with the window in force already applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Which site.
    pub site: SiteName,
    /// The mode in effect. `Online` where only a route is forced on; visitors are told "closed".
    pub mode: Mode,
    /// The operator's message, instead of the configured one.
    pub message: Option<Message>,
    /// When the site is expected to be open again.
    pub ends_at: Option<Timestamp>,
    /// Seconds for `Retry-After`, instead of the configured ones.
    pub retry_after: Option<u32>,
    /// Which period of maintenance this is; not shown to visitors.
    pub activation: Option<ActivationId>,
}

impl Notice {
    /// The default site in this mode, with nothing more to say.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            site: SiteName::default(),
            mode,
            message: None,
            ends_at: None,
            retry_after: None,
            activation: None,
        }
    }
}
