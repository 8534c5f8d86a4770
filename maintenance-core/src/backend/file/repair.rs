//! Putting a good record in the place of whatever is there.

use std::ffi::OsString;
use std::fs::File;
use std::io;

use super::Store;
use super::disk::again;
use super::write::Held;
use crate::backend::{BackendError, check_repair};
use crate::state::{State, codec};

/// An old record under its new name.
struct Aside {
    name: OsString,
    /// Whether the old name is gone already.
    moved: bool,
}

impl Store {
    pub(super) fn repair(&self, next: &State) -> Result<Option<String>, BackendError> {
        let bytes = codec::encode(next)?;
        let held = self.hold()?;
        // Whatever is wrong with the old record is what the repair is for.
        let present = self.record(&held.folder, &held.about, true).ok().flatten();
        check_repair(present.as_ref().map(|found| found.state.version()), next)?;
        self.sweep(&held.folder);
        let aside = self.set_aside(&held)?;
        let old = present.as_ref().map(|found| &found.about);
        match self.store(&held, old, &bytes, next.version()) {
            Ok(()) => Ok(aside.map(|aside| {
                format!(
                    "the old record is kept as {}",
                    self.place.path(&aside.name).display()
                )
            })),
            Err(error) => {
                let nothing_changed = !matches!(error, BackendError::Unknown { .. });
                if let Some(aside) = aside.filter(|_| nothing_changed) {
                    self.put_back(&held.folder, &aside)?;
                }
                Err(error)
            }
        }
    }

    /// Gives whatever stands in the record's place another name, and keeps the old one until the new record
    /// replaces it, so that readers never find nothing.
    fn set_aside(&self, held: &Held) -> Result<Option<Aside>, BackendError> {
        let record = &self.place.record;
        let failed = |e: &io::Error| self.place.failed("keep the old record", e);
        if again(|| self.disk.inode(&held.folder, record))
            .map_err(|e| failed(&e))?
            .is_none()
        {
            return Ok(None);
        }
        let name = self.free_name(&held.folder).map_err(|e| failed(&e))?;
        if again(|| self.disk.link(&held.folder, record, &name)).is_ok() {
            return Ok(Some(Aside { name, moved: false }));
        }
        // Folders, and file systems without hard links.
        again(|| self.disk.rename(&held.folder, record, &name)).map_err(|e| failed(&e))?;
        Ok(Some(Aside { name, moved: true }))
    }

    fn put_back(&self, folder: &File, aside: &Aside) -> Result<(), BackendError> {
        let done = if aside.moved {
            again(|| self.disk.rename(folder, &aside.name, &self.place.record))
        } else {
            again(|| self.disk.unlink(folder, &aside.name))
        };
        done.map_err(|e| {
            self.place.unknown(format!(
                "nothing new was stored, and the old record is left as {}: {e}",
                self.place.path(&aside.name).display()
            ))
        })
    }

    /// `state.json.broken-1795212000`, with `-2`, `-3`… if that is taken.
    fn free_name(&self, folder: &File) -> io::Result<OsString> {
        let now = std::time::SystemTime::now();
        let seconds = now
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| d.as_secs());
        for n in 1..1000 {
            let mut name = self.place.record.clone();
            name.push(format!(".broken-{seconds}"));
            if n > 1 {
                name.push(format!("-{n}"));
            }
            if again(|| self.disk.inode(folder, &name))?.is_none() {
                return Ok(name);
            }
        }
        Err(io::Error::other(
            "there are too many broken records already",
        ))
    }
}
