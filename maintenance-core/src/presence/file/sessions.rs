//! Sessions in memory: those of this process that it writes, or those of all that it has read.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::codec::{Change, Damage, Term};
use crate::presence::{Holder, LeaseKey, LeaseKind, LeaseName};
use crate::state::SiteName;

#[derive(Debug, Default)]
pub(super) struct Sessions {
    sites: BTreeMap<SiteName, HashMap<LeaseName, Session>>,
}

/// What is known last of a session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) term: Term,
    pub(super) note: Box<str>,
}

impl Sessions {
    /// Begins or renews a session here and now, and says since when it lives.
    pub(super) fn renew(&mut self, key: &LeaseKey, stamp: u64, lasts: u32, note: &str) -> Term {
        let mut term = Term {
            stamp,
            began: stamp,
            lasts,
            released: false,
        };
        match self.site(&key.site).entry(key.name.clone()) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                if known.term.lives(stamp) {
                    term.began = known.term.began;
                }
                known.term = term;
                if *known.note != *note {
                    known.note = note.into();
                }
            }
            Entry::Vacant(free) => {
                let note = note.into();
                free.insert(Session { term, note });
            }
        }
        term
    }

    /// Ends a session here and now, to be remembered for so long.
    pub(super) fn release(&mut self, key: &LeaseKey, stamp: u64, remembered: u32) -> Term {
        let term = Term {
            stamp,
            began: stamp,
            lasts: remembered,
            released: true,
        };
        let note = Box::default();
        self.site(&key.site)
            .insert(key.name.clone(), Session { term, note });
        term
    }

    /// Takes over what a file says. Of two changes of one session the later one counts, whichever is read first.
    pub(super) fn merge(&mut self, change: &Change<'_>, now: u64) -> Result<(), Damage> {
        if change.kind != LeaseKind::Session || change.holder != Holder::EVERYBODY {
            return Err(Damage::Change);
        }
        if !change.term.counts(now) {
            return Ok(());
        }
        if !self.sites.contains_key(change.site) {
            let site = change.site.parse().map_err(|_| Damage::Change)?;
            self.sites.insert(site, HashMap::new());
        }
        let Some(site) = self.sites.get_mut(change.site) else {
            return Ok(());
        };
        if let Some(known) = site.get_mut(change.name) {
            known.merge(change);
        } else {
            let name = change.name.parse().map_err(|_| Damage::Change)?;
            let note = change.note.into();
            let term = change.term;
            site.insert(name, Session { term, note });
        }
        Ok(())
    }

    /// Forgets what says nothing any more.
    pub(super) fn purge(&mut self, now: u64) {
        self.sites.retain(|_, site| {
            site.retain(|_, session| session.term.counts(now));
            if site.capacity() > 1024 + 4 * site.len() {
                site.shrink_to(2 * site.len());
            }
            !site.is_empty()
        });
    }

    /// Every session that is known, of one site or of all, with releases that are remembered.
    pub(super) fn all(
        &self,
        of: Option<&SiteName>,
    ) -> impl Iterator<Item = (&SiteName, &LeaseName, &Session)> {
        self.sites
            .iter()
            .filter(move |(site, _)| of.is_none_or(|of| *site == of))
            .flat_map(|(site, sessions)| {
                sessions
                    .iter()
                    .map(move |(name, session)| (site, name, session))
            })
    }

    fn site(&mut self, site: &SiteName) -> &mut HashMap<LeaseName, Session> {
        self.sites.entry(site.clone()).or_default()
    }
}

impl Session {
    fn merge(&mut self, change: &Change<'_>) {
        let (known, new) = (self.term, change.term);
        let later = if new.stamp > known.stamp { new } else { known };
        // Two instances have the same session when their times touch; it then began with the earlier one.
        let same = !known.released
            && !new.released
            && known.began <= new.ends()
            && new.began <= known.ends();
        self.term = later;
        if same {
            self.term.began = known.began.min(new.began);
        }
        if new.stamp > known.stamp && *self.note != *change.note {
            self.note = change.note.into();
        }
    }
}
