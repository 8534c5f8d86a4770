//! One writer at a time, among all processes of a machine.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use super::Store;
use super::disk::{About, Open, again};
use super::place::{check_file, me};
use crate::backend::BackendError;

/// How long to wait before the next try, after having waited for so long already.
///
/// Whoever has waited longer tries more often. Otherwise a writer that comes again and again, and tries at once,
/// would overtake those who wait, for seconds.
fn pause(waited: Duration) -> Duration {
    const FIRST: Duration = Duration::from_millis(2);
    const HALVED_AFTER: Duration = Duration::from_millis(100);
    let impatience = 1.0 + waited.as_secs_f64() / HALVED_AFTER.as_secs_f64();
    FIRST.div_f64(impatience).max(Duration::from_micros(50))
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Store {
    /// Waits for the lock, at most as long as the options say.
    ///
    /// The lock is on a file of its own, because the record is replaced and a lock would go with the old one.
    pub(crate) fn lock(&self, folder: &File, about: &About) -> Result<Lock, BackendError> {
        let failed = |error: &io::Error| {
            let path = self.place.path(&self.place.lock);
            self.place
                .failed(&format!("lock {}", path.display()), error)
        };
        let start = Instant::now();
        loop {
            let file = self.lock_file(folder, about)?;
            while !again(|| self.disk.lock(&file, false)).map_err(|e| failed(&e))? {
                if start.elapsed() >= self.options.lock_timeout {
                    return Err(self.busy(&file));
                }
                self.disk.pause(pause(start.elapsed()));
            }
            // Somebody may have removed the file while we waited: then the lock is on a file that nobody else finds.
            let mine = self.disk.about(&file).map_err(|e| failed(&e))?.inode;
            let there = self
                .disk
                .inode(folder, &self.place.lock)
                .map_err(|e| failed(&e))?;
            if there == Some(mine) {
                self.sign(&file);
                return Ok(Lock { _file: file });
            }
            if start.elapsed() >= self.options.lock_timeout {
                return Err(self.busy(&file));
            }
        }
    }

    /// Whether some writer is at work just now, as far as a reader may know.
    pub(crate) fn is_locked(&self, folder: &File) -> bool {
        self.disk
            .open(folder, &self.place.lock, Open::Read)
            .and_then(|file| again(|| self.disk.lock(&file, true)))
            .is_ok_and(|free| !free)
    }

    fn lock_file(&self, folder: &File, about: &About) -> Result<File, BackendError> {
        let name = &self.place.lock;
        let failed = |error: &io::Error| {
            let path = self.place.path(name);
            self.place
                .failed(&format!("open {}", path.display()), error)
        };
        // Two steps instead of O_CREAT: in a sticky folder Linux refuses O_CREAT on files of others
        // (fs.protected_regular), even to root.
        for _ in 0..16 {
            match again(|| self.disk.open(folder, name, Open::Existing)) {
                Ok(file) => {
                    let found = self.disk.about(&file).map_err(|e| failed(&e))?;
                    check_file(&found, about, &self.place.path(name), &self.options)
                        .map_err(|why| self.place.unsafe_because(why))?;
                    return Ok(file);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if self.place.is_link(name) => {
                    return Err(self.place.unsafe_because(format!(
                        "{} is a symbolic link ({error}); remove it",
                        self.place.path(name).display()
                    )));
                }
                Err(error) => return Err(failed(&error)),
            }
            match again(|| self.disk.open(folder, name, Open::New(0o600))) {
                Ok(file) => {
                    self.share_with_group(&file, about)
                        .map_err(|e| failed(&e))?;
                    return Ok(file);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        Err(failed(&io::Error::other("somebody keeps removing it")))
    }

    /// Gives a new file that stands beside the record to those who may use the folder.
    pub(crate) fn share_with_group(&self, file: &File, folder: &About) -> io::Result<()> {
        if me() == 0 && folder.owner != 0 {
            self.disk
                .set_owner(file, Some(folder.owner), Some(folder.group))?;
        }
        let for_group = if folder.group_may_write() {
            0o060
        } else if folder.group_may_enter() {
            0o040
        } else {
            0
        };
        self.disk.set_mode(file, 0o600 | for_group)
    }

    /// Writes who holds the lock. For people only, so that it may fail: on a full disk, for instance.
    fn sign(&self, file: &File) {
        let line = format!("{}\n", std::process::id());
        let _ = self
            .disk
            .empty(file)
            .and_then(|()| self.disk.write(file, line.as_bytes()));
    }

    fn busy(&self, file: &File) -> BackendError {
        let mut buffer = [0; 32];
        let read = self.disk.read(file, &mut buffer).unwrap_or(0);
        let text = String::from_utf8_lossy(&buffer[..read]);
        let holder = match text.trim().parse::<u32>() {
            Ok(pid) => format!("process {pid}"),
            Err(_) => "another process".to_owned(),
        };
        BackendError::Unavailable {
            place: self.place.describe(),
            what: format!(
                "{holder} has held the lock {} for {:?}; see whether it hangs, and try again",
                self.place.path(&self.place.lock).display(),
                self.options.lock_timeout
            ),
            source: None,
        }
    }
}
