//! Writing the record: whoever reads finds the old one or the new one, whatever fails and whenever.
//!
//! Under the lock: read and compare; write a new file beside the record and have it on disk; rename it
//! over the record; have the folder on disk; read back. Up to the rename every error leaves the old record
//! as it was. From the rename on, an error is reported as [`BackendError::Unknown`]: a failed `fsync` cannot
//! be repeated, because the kernel may have dropped what it could not write.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::sync::atomic::Ordering;

use super::Store;
use super::disk::{About, Disk, Open, again};
use super::lock::Lock;
use super::place::me;
use crate::backend::{BackendError, check_succession};
use crate::state::{State, Version, codec};

const MARKER_TEXT: &[u8] =
    b"There is a maintenance record beside this file. If the record is missing while this file is \
here, it was lost, and nobody takes that for \"never closed\". Remove both, or neither.\n";

/// A checked folder with the lock held.
pub(super) struct Held {
    pub(super) folder: File,
    pub(super) about: About,
    _lock: Lock,
}

/// Whose the new record is, and who may read it.
struct Ownership {
    owner: Option<u32>,
    group: Option<u32>,
    mode: u32,
    /// Whether the group must not change.
    keep_group: bool,
}

impl Store {
    pub(super) fn compare_and_set(
        &self,
        expected: Option<Version>,
        next: &State,
    ) -> Result<(), BackendError> {
        check_succession(expected, next)?;
        let bytes = codec::encode(next)?;
        let held = self.hold()?;
        let present = self.record(&held.folder, &held.about, true)?;
        if present.as_ref().map(|found| found.state.version()) != expected {
            let present = present.map(|found| Box::new(found.state));
            return Err(BackendError::Conflict(present));
        }
        self.sweep(&held.folder);
        let old = present.as_ref().map(|found| &found.about);
        self.store(&held, old, &bytes, next.version())
    }

    /// Opens the folder for a writer, makes it if need be, and takes the lock.
    pub(super) fn hold(&self) -> Result<Held, BackendError> {
        let (folder, about) = self.writable_folder()?;
        let lock = self.lock(&folder, &about)?;
        Ok(Held {
            folder,
            about,
            _lock: lock,
        })
    }

    /// Opens the folder for a writer and makes it if need be.
    pub(crate) fn writable_folder(&self) -> Result<(File, About), BackendError> {
        if self.options.follow_links {
            return Err(BackendError::Unavailable {
                place: self.place.describe(),
                what: "is opened with `follow_links=true` and so for reading only; change it where it is made, or \
                       name the real file without that option"
                    .to_owned(),
                source: None,
            });
        }
        let (folder, about) = match self.folder()? {
            Some(folder) => folder,
            None => self.make_folder()?,
        };
        self.check_local(&folder)?;
        Ok((folder, about))
    }

    /// Refuses folders of network file systems.
    pub(crate) fn check_local(&self, folder: &File) -> Result<(), BackendError> {
        let mount = again(|| self.disk.mount(folder))
            .map_err(|e| self.place.failed("ask what file system it is on", &e))?;
        if mount.network {
            return Err(self.place.unsafe_because(
                "is on a network file system, where locks cannot be relied upon, and is only read there; use a \
                 backend for several machines, such as Redis or PostgreSQL",
            ));
        }
        Ok(())
    }

    fn make_folder(&self) -> Result<(File, About), BackendError> {
        let path = &self.place.folder;
        let failed = |e: &io::Error| {
            self.place
                .failed(&format!("make the folder {}", path.display()), e)
        };
        if self.seen.load(Ordering::Relaxed) {
            return Err(self.place.vanished());
        }
        match again(|| self.disk.make_folder(path)) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(failed(&e)),
            _ => {}
        }
        if let Some(above) = path.parent() {
            let above = again(|| self.disk.open_folder(above, true)).map_err(|e| failed(&e))?;
            again(|| self.disk.sync(&above)).map_err(|e| failed(&e))?;
        }
        self.folder()?
            .ok_or_else(|| failed(&io::Error::from(io::ErrorKind::NotFound)))
    }

    /// Makes the marker if it is missing, then replaces the record.
    pub(super) fn store(
        &self,
        held: &Held,
        old: Option<&About>,
        bytes: &[u8],
        next: Version,
    ) -> Result<(), BackendError> {
        let name = &self.place.marker;
        let marked = again(|| self.disk.inode(&held.folder, name))
            .map_err(|e| self.marking_failed(&e))?
            .is_some();
        if marked {
            return self.replace(held, old, bytes, next);
        }
        let file = again(|| self.disk.open(&held.folder, name, Open::New(0o600)))
            .map_err(|e| self.marking_failed(&e))?;
        let stored = self
            .fill_marker(&file, held)
            .map_err(|e| self.marking_failed(&e))
            .and_then(|()| self.replace(held, old, bytes, next));
        match stored {
            Ok(()) | Err(BackendError::Unknown { .. }) => stored,
            Err(error) if old.is_some() => Err(error),
            Err(error) => Err(self.unmark(held, error)),
        }
    }

    fn fill_marker(&self, file: &File, held: &Held) -> io::Result<()> {
        self.share_with_group(file, &held.about)?;
        self.write_all(file, MARKER_TEXT)?;
        again(|| self.disk.sync(file))?;
        // A later loss of the record must be noticed, so the marker is on disk before the record is.
        again(|| self.disk.sync(&held.folder))
    }

    fn marking_failed(&self, error: &io::Error) -> BackendError {
        let path = self.place.path(&self.place.marker);
        self.place
            .failed(&format!("make {}", path.display()), error)
    }

    /// Takes the marker back after an error, so that the record that never was does not count as lost.
    fn unmark(&self, held: &Held, error: BackendError) -> BackendError {
        match again(|| self.disk.unlink(&held.folder, &self.place.marker)) {
            Ok(()) => error,
            Err(second) => self.place.unknown(format!(
                "{error}; and {} is left and could not be removed: {second}",
                self.place.path(&self.place.marker).display()
            )),
        }
    }

    fn replace(
        &self,
        held: &Held,
        old: Option<&About>,
        bytes: &[u8],
        next: Version,
    ) -> Result<(), BackendError> {
        let failed = |e: &io::Error| {
            self.place
                .failed("write a new record beside the old one", e)
        };
        let temp = self.temp_name().map_err(|e| failed(&e))?;
        let file = again(|| self.disk.open(&held.folder, &temp, Open::New(0o600)))
            .map_err(|e| failed(&e))?;
        let remove = Unlink::new(&*self.disk, &held.folder, &temp);
        self.give(&file, &ownership(old, &held.about))
            .and_then(|()| self.write_all(&file, bytes))
            .and_then(|()| again(|| self.disk.sync(&file)))
            .map_err(|e| failed(&e))?;
        if let Err(error) = again(|| self.disk.rename(&held.folder, &temp, &self.place.record)) {
            drop(remove);
            return Err(self.after_failed_rename(held, next, &error));
        }
        remove.not_needed();
        self.seen.store(true, Ordering::Relaxed);
        again(|| self.disk.sync(&held.folder)).map_err(|e| {
            self.place.unknown(format!(
                "revision {} can be read, but may not outlive a power failure, because its folder could not be \
                 brought to disk: {e}",
                next.revision
            ))
        })?;
        match self.record(&held.folder, &held.about, true) {
            Ok(Some(found)) if found.state.version() == next => Ok(()),
            Ok(_) => Err(self
                .place
                .unknown("it was written, and then something else was found in its place")),
            Err(error) => Err(self.place.unknown(format!(
                "it was written and could not be read back: {error}"
            ))),
        }
    }

    fn after_failed_rename(&self, held: &Held, next: Version, error: &io::Error) -> BackendError {
        match self.record(&held.folder, &held.about, true) {
            Ok(Some(found)) if found.state.version() == next => self.place.unknown(format!(
                "the system says that the new record could not be put in place ({error}), but there it is"
            )),
            Ok(_) => self.place.failed("put the new record in place of the old one", error),
            Err(second) => self.place.unknown(format!(
                "the new record could not be put in place ({error}), and then: {second}"
            )),
        }
    }

    pub(crate) fn temp_name(&self) -> io::Result<OsString> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|e| io::Error::other(e.to_string()))?;
        let mut name = self.place.temp_start();
        name.push(format!("{:016x}.tmp", u64::from_ne_bytes(random)));
        Ok(name)
    }

    fn give(&self, file: &File, to: &Ownership) -> io::Result<()> {
        let now = again(|| self.disk.about(file))?;
        let owner = to.owner.filter(|owner| *owner != now.owner);
        let group = to.group.filter(|group| *group != now.group);
        if owner.is_some() || group.is_some() {
            match again(|| self.disk.set_owner(file, owner, group)) {
                Err(e) if to.keep_group || e.kind() != io::ErrorKind::PermissionDenied => {
                    return Err(e);
                }
                _ => {}
            }
        }
        again(|| self.disk.set_mode(file, to.mode))
    }

    pub(crate) fn write_all(&self, file: &File, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match again(|| self.disk.write(file, bytes))? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => bytes = bytes.get(written..).unwrap_or_default(),
            }
        }
        Ok(())
    }
}

/// A record keeps its owner, group and permissions; a new one gets those that fit its folder. What root
/// writes for a service stays readable for the service.
fn ownership(old: Option<&About>, folder: &About) -> Ownership {
    let root = me() == 0;
    match old {
        Some(old) => Ownership {
            owner: root.then_some(if old.owner == 0 {
                folder.owner
            } else {
                old.owner
            }),
            group: Some(old.group),
            mode: old.mode & 0o664 | 0o600,
            keep_group: true,
        },
        None => Ownership {
            owner: root.then_some(folder.owner),
            group: (root || folder.group_may_enter()).then_some(folder.group),
            mode: if folder.group_may_enter() {
                0o640
            } else {
                0o600
            },
            keep_group: root,
        },
    }
}

/// Removes a file again unless it turned out to be needed no longer.
pub(crate) struct Unlink<'a> {
    disk: &'a dyn Disk,
    folder: &'a File,
    name: Option<&'a OsStr>,
}

impl<'a> Unlink<'a> {
    pub(crate) fn new(disk: &'a dyn Disk, folder: &'a File, name: &'a OsStr) -> Self {
        Self {
            disk,
            folder,
            name: Some(name),
        }
    }

    pub(crate) fn not_needed(mut self) {
        self.name = None;
    }
}

impl Drop for Unlink<'_> {
    fn drop(&mut self) {
        if let Some(name) = self.name {
            // What cannot be removed now is removed by a later writer.
            let _ = again(|| self.disk.unlink(self.folder, name));
        }
    }
}
