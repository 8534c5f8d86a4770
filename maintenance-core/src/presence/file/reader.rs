//! Reading the sessions of all processes.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use super::Leases;
use super::codec::HEADER_BYTES;
use super::folder::{Folder, Unread};
use super::sessions::Sessions;
use crate::backend::BackendError;

/// What this process has read. The next reading goes on where this one ended.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) sessions: Sessions,
    files: HashMap<OsString, Position>,
}

/// How far a file has been read.
#[derive(Clone, Copy, Debug)]
struct Position {
    generation: u64,
    offset: u64,
}

impl Reader {
    /// Reads what is new.
    pub(super) fn catch_up(
        &mut self,
        leases: &Leases,
        folder: Option<&Folder>,
    ) -> Result<(), BackendError> {
        let Some(folder) = folder else {
            // The leases are gone with their folder.
            *self = Self::default();
            return Ok(());
        };
        let names = leases.names(folder, &leases.sessions_start())?;
        let mut gone = std::mem::take(&mut self.files);
        for name in names {
            let known = gone.remove(&name);
            // Kept while the file is read again and again, so that nothing is read twice without need.
            self.files.extend(known.map(|known| (name.clone(), known)));
            leases.patiently(&name, || self.read(leases, folder, &name))?;
        }
        self.sessions.purge(leases.clock.now());
        Ok(())
    }

    fn read(&mut self, leases: &Leases, folder: &Folder, name: &OsStr) -> Result<(), Unread> {
        let Some(source) = leases.source(folder, name)? else {
            self.files.remove(name);
            return Ok(());
        };
        let generation = source.header.generation;
        let known = self.files.get(name);
        let from = known
            .filter(|known| known.generation == generation && known.offset <= source.about.bytes)
            .map_or(HEADER_BYTES as u64, |known| known.offset);
        let now = leases.clock.now();
        let sessions = &mut self.sessions;
        let offset = leases.changes(&source, from, &mut |change| sessions.merge(&change, now))?;
        let position = Position { generation, offset };
        self.files.insert(name.to_owned(), position);
        Ok(())
    }
}
