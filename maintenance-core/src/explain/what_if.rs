//! A state that nobody has stored: what if these sites were in these modes?

use std::sync::Arc;

use super::request_line::{RequestLine, RequestLineError};
use crate::snapshot::Snapshot;
use crate::state::{Epoch, Mode, SiteName, State};

/// A mode was given for a site that is not configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no site `{site}` is configured; known: {known}")]
#[non_exhaustive]
pub struct UnknownSite {
    /// The name given.
    pub site: SiteName,
    /// All names.
    pub known: String,
}

impl Snapshot {
    /// This snapshot with other plain modes for some sites. Windows stay, and a mode that the
    /// configuration pins still holds.
    ///
    /// # Errors
    ///
    /// A site that is not configured.
    pub fn with_modes<'a>(
        &self,
        modes: impl IntoIterator<Item = (&'a SiteName, Mode)>,
    ) -> Result<Self, UnknownSite> {
        let mut state = match self.state() {
            Some(state) => State::clone(state),
            None => State::new(Epoch::from_bits(0)),
        };
        for (site, mode) in modes {
            if !self.policy.has_site(site) {
                let known: Vec<&str> = self.policy.site_names().map(SiteName::as_str).collect();
                return Err(UnknownSite {
                    site: site.clone(),
                    known: known.join(", "),
                });
            }
            state.site_mut(site).mode = mode;
        }
        Ok(Self::new(Arc::clone(&self.policy), Some(Arc::new(state))))
    }
}

impl RequestLine {
    /// The snapshot that answers this line: `base`, or one with the line's `site_modes` in place of its own.
    ///
    /// # Errors
    ///
    /// `site_modes` names a site that is not configured.
    pub fn snapshot(&self, base: &Arc<Snapshot>) -> Result<Arc<Snapshot>, RequestLineError> {
        if self.site_modes.is_empty() {
            return Ok(Arc::clone(base));
        }
        let modes = self.site_modes.iter().map(|(site, mode)| (site, *mode));
        Ok(Arc::new(base.with_modes(modes)?))
    }
}
