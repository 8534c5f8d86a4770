//! Reading the record.

use std::fs::File;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Store;
use super::disk::{About, Open, again};
use super::place::{check_file, check_folder};
use crate::backend::BackendError;
use crate::state::State;
use crate::state::codec::{self, DecodeError, MAX_RECORD_BYTES};

/// How often a record that is not whole is read again, and how long to wait before each time: somebody
/// may be copying over it in place.
const RETRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(10);

/// A record as it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) state: State,
    pub(super) about: About,
}

enum Look {
    Whole(Found),
    Damaged(DecodeError),
    Nothing,
}

impl Store {
    /// The record, for whoever does not hold the lock.
    pub(super) fn load(&self) -> Result<Option<State>, BackendError> {
        match self.folder()? {
            Some((folder, about)) => Ok(self.record(&folder, &about, false)?.map(|f| f.state)),
            None if self.seen.load(Ordering::Relaxed) => Err(self.place.vanished()),
            None => Ok(None),
        }
    }

    /// Opens and checks the folder; `None` if there is none.
    pub(crate) fn folder(&self) -> Result<Option<(File, About)>, BackendError> {
        let path = &self.place.folder;
        let failed = |e: &io::Error| {
            self.place
                .failed(&format!("open the folder {}", path.display()), e)
        };
        let folder = match again(|| self.disk.open_folder(path, self.options.follow_links)) {
            Ok(folder) => folder,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) if !self.options.follow_links && path.is_symlink() => {
                return Err(self.place.unsafe_because(format!(
                    "the folder {} is a symbolic link; name the real folder, or add `follow_links=true` to the \
                     URL to read through it (and never write)",
                    path.display()
                )));
            }
            Err(e) => return Err(failed(&e)),
        };
        let about = again(|| self.disk.about(&folder)).map_err(|e| failed(&e))?;
        let read_only = about.anyone_may_write()
            && !about.sticky()
            && again(|| self.disk.mount(&folder))
                .map_err(|e| failed(&e))?
                .read_only;
        check_folder(&about, path, read_only, &self.options)
            .map_err(|why| self.place.unsafe_because(why))?;
        Ok(Some((folder, about)))
    }

    /// The record in an open folder. `None`: there never was one.
    pub(super) fn record(
        &self,
        folder: &File,
        about: &About,
        locked: bool,
    ) -> Result<Option<Found>, BackendError> {
        let deadline = Instant::now() + self.options.lock_timeout;
        let mut tries = 0;
        loop {
            let again_later = tries < RETRIES;
            match self.look(folder, about)? {
                Look::Whole(found) => {
                    self.seen.store(true, Ordering::Relaxed);
                    return Ok(Some(found));
                }
                Look::Damaged(error @ DecodeError::NewerSchema { .. }) => {
                    return Err(self.unreadable(&error));
                }
                Look::Damaged(error) if !again_later => return Err(self.unreadable(&error)),
                Look::Nothing if !self.was_there(folder)? => return Ok(None),
                // The first writer makes the marker before the record, and may be between the two.
                Look::Nothing if !again_later => {
                    if locked || Instant::now() >= deadline || !self.is_locked(folder) {
                        return Err(self.place.vanished());
                    }
                }
                Look::Damaged(_) | Look::Nothing => {}
            }
            tries += 1;
            self.disk.pause(PAUSE);
        }
    }

    /// Whether there ever was a record here, as far as the marker or this process knows.
    pub(super) fn was_there(&self, folder: &File) -> Result<bool, BackendError> {
        if self.seen.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let marker = again(|| self.disk.inode(folder, &self.place.marker));
        Ok(marker
            .map_err(|e| self.place.failed("see whether there ever was a record", &e))?
            .is_some())
    }

    fn look(&self, folder: &File, about: &About) -> Result<Look, BackendError> {
        let name = &self.place.record;
        let failed = |e: &io::Error| self.place.failed("read it", e);
        let how = if self.options.follow_links {
            Open::ReadThroughLinks
        } else {
            Open::Read
        };
        let file = match again(|| self.disk.open(folder, name, how)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Look::Nothing),
            Err(_) if !self.options.follow_links && self.place.is_link(name) => {
                return Err(self.place.unsafe_because(
                    "is a symbolic link; name the real file, or add `follow_links=true` to the URL to read \
                     through it (and never write)",
                ));
            }
            Err(e) => return Err(failed(&e)),
        };
        let found = again(|| self.disk.about(&file)).map_err(|e| failed(&e))?;
        check_file(&found, about, &self.place.path(name), &self.options)
            .map_err(|why| self.place.unsafe_because(why))?;
        let bytes = self.bytes(&file, &found).map_err(|e| failed(&e))?;
        let decoded = if self.options.lenient {
            codec::decode_lenient(&bytes)
        } else {
            codec::decode(&bytes)
        };
        Ok(match decoded {
            Ok(state) => Look::Whole(Found {
                state,
                about: found,
            }),
            Err(error) => Look::Damaged(error),
        })
    }

    /// All bytes, or one more than a record may have.
    fn bytes(&self, file: &File, about: &About) -> io::Result<Vec<u8>> {
        let expected = usize::try_from(about.bytes)
            .unwrap_or(usize::MAX)
            .min(MAX_RECORD_BYTES);
        let mut bytes = Vec::with_capacity(expected + 1);
        let mut buffer = [0; 8192];
        while bytes.len() <= MAX_RECORD_BYTES {
            let room = buffer.len().min(MAX_RECORD_BYTES + 1 - bytes.len());
            match again(|| self.disk.read(file, &mut buffer[..room]))? {
                0 => break,
                read => bytes.extend_from_slice(&buffer[..read]),
            }
        }
        Ok(bytes)
    }

    fn unreadable(&self, why: &DecodeError) -> BackendError {
        BackendError::Unreadable {
            place: self.place.describe(),
            why: why.to_string(),
        }
    }
}
