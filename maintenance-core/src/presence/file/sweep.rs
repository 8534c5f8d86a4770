//! Removing the files of the dead.

use std::ffi::OsStr;
use std::io;
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};

use super::Leases;
use super::codec::HEADER_BYTES;
use super::folder::{Folder, Unread};
use crate::backend::file::disk::{Open, again};

/// How often a process that renews leases looks for files of the dead.
const EVERY: Duration = Duration::from_secs(60);
/// No lease lasts longer than a day. Files of another run of the machine are kept for so long, because they may
/// be of another machine that has the same folder.
const FOREIGN: Duration = Duration::from_secs(25 * 60 * 60);

impl Leases {
    /// Removes files in which nothing lives and that nobody writes to, at most once a minute. What cannot be
    /// removed stays.
    pub(super) fn sweep(&self) {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if swept.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        *swept = Some(Instant::now());
        drop(swept);
        let Ok(Some(folder)) = self.look() else {
            return;
        };
        let folder = &folder;
        self.store.sweep(&folder.file);
        let ours = self.sessions_start();
        let table = self.table_name();
        for name in self.names(folder, "").unwrap_or_default() {
            let text = name.to_string_lossy();
            if text.starts_with(&ours) {
                let _ = self.sweep_sessions(folder, &name);
            } else if name != table && (text.starts_with("sessions-") || text.starts_with("held-"))
            {
                let _ = self.sweep_foreign(folder, &name);
            }
        }
    }

    fn sweep_foreign(&self, folder: &Folder, name: &OsStr) -> io::Result<()> {
        let disk = &self.store.disk;
        let file = again(|| disk.open(&folder.file, name, Open::Read))?;
        let modified = again(|| disk.about(&file))?.modified;
        if age(modified).is_some_and(|age| age > FOREIGN) {
            again(|| disk.unlink(&folder.file, name))?;
        }
        Ok(())
    }

    fn sweep_sessions(&self, folder: &Folder, name: &OsStr) -> Result<(), Unread> {
        let disk = &self.store.disk;
        let Some(source) = self.source(folder, name)? else {
            return Ok(());
        };
        // Spares the reading: what was written a moment ago lives. Only what is read says that nothing does.
        let longest = Duration::from_millis(source.header.longest);
        if age(source.about.modified).is_some_and(|age| age < longest) {
            return Ok(());
        }
        // A process that lives holds this lock. It may have put a new file in place since we opened this one.
        if !again(|| disk.lock(&source.file, false))?
            || again(|| disk.inode(&folder.file, name))? != Some(source.about.inode)
        {
            return Ok(());
        }
        let (now, mut living) = (self.clock.now(), false);
        self.changes(&source, HEADER_BYTES as u64, &mut |change| {
            living |= change.term.counts(now);
            Ok(())
        })?;
        if !living {
            again(|| disk.unlink(&folder.file, name))?;
        }
        Ok(())
    }
}

fn age(modified: Option<SystemTime>) -> Option<Duration> {
    SystemTime::now().duration_since(modified?).ok()
}
