//! The folder of the leases: what lies in it, whether it is safe, reading and writing files there.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::time::Duration;

use super::Leases;
use super::codec::{self, Change, Damage, FRAME_START, FULL, Frame, HEADER_BYTES, Header};
use crate::backend::BackendError;
use crate::backend::file::Store;
use crate::backend::file::disk::{About, Open, again};
use crate::backend::file::place::{check_file, check_owner, me};

/// How often a file that is not whole is read again, and how long to wait before each time.
const RETRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(10);

/// The folder, open and found to be safe.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) file: File,
    pub(super) about: About,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Damage(#[from] Damage),
    #[error("{0}")]
    Unsafe(String),
}

/// A file of leases, open to be read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: File,
    pub(super) about: About,
    pub(super) header: Header,
}

impl Leases {
    /// The folder for a reader; `None` if there is none, because nobody has leases.
    pub(super) fn look(&self) -> Result<Option<Folder>, BackendError> {
        let Some((state, about)) = self.state.folder()? else {
            let gone = self.state.seen();
            return if gone {
                Err(self.state.place.vanished())
            } else {
                Ok(None)
            };
        };
        self.state.check_local(&state)?;
        self.open(&about)
    }

    /// The folder for a writer, who makes it if need be.
    pub(super) fn make(&self) -> Result<Folder, BackendError> {
        let (_state, about) = self.state.writable_folder()?;
        if let Some(folder) = self.open(&about)? {
            return Ok(folder);
        }
        let path = &self.store.place.folder;
        let failed = |e: &io::Error| {
            let doing = format!("make the folder {}", path.display());
            self.store.place.failed(&doing, e)
        };
        match again(|| self.store.disk.make_folder(path)) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(&e)),
        }
        let folder = again(|| self.store.disk.open_folder(path, false)).map_err(|e| failed(&e))?;
        self.share(&folder, &about).map_err(|e| failed(&e))?;
        self.open(&about)?
            .ok_or_else(|| failed(&io::ErrorKind::NotFound.into()))
    }

    /// Gives a new folder to those who may use the folder that it lies in.
    fn share(&self, folder: &File, above: &About) -> io::Result<()> {
        let disk = &self.store.disk;
        let mine = again(|| disk.about(folder))?;
        if me() == 0 && mine.owner == 0 && above.owner != 0 {
            again(|| disk.set_owner(folder, Some(above.owner), Some(above.group)))?;
        }
        if above.group_may_enter() && mine.owner == me() {
            again(|| disk.set_mode(folder, 0o700 | above.mode & 0o2070))?;
        }
        Ok(())
    }

    fn open(&self, above: &About) -> Result<Option<Folder>, BackendError> {
        let (disk, place) = (&self.store.disk, &self.store.place);
        let path = &place.folder;
        let failed =
            |e: &io::Error| place.failed(&format!("open the folder {}", path.display()), e);
        let file = match again(|| disk.open_folder(path, false)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) if path.is_symlink() => {
                return Err(place.unsafe_because(format!(
                    "the folder {} is a symbolic link; remove it",
                    path.display()
                )));
            }
            Err(e) => return Err(failed(&e)),
        };
        let about = again(|| disk.about(&file)).map_err(|e| failed(&e))?;
        if about.anyone_may_write() {
            return Err(place.unsafe_because(format!(
                "everyone may write to the folder {} (mode {:04o}); `chmod o-w {}`",
                path.display(),
                about.mode,
                path.display()
            )));
        }
        check_owner(&about, above, path, &self.store.options)
            .map_err(|why| place.unsafe_because(why))?;
        Ok(Some(Folder { file, about }))
    }

    /// Opens a file of leases and reads its header. `None`: it is gone, as a file is that was swept.
    pub(super) fn source(&self, folder: &Folder, name: &OsStr) -> Result<Option<Source>, Unread> {
        let (disk, place) = (&self.store.disk, &self.store.place);
        let file = match again(|| disk.open(&folder.file, name, Open::Read)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) if place.is_link(name) => {
                let path = place.path(name);
                return Err(Unread::Unsafe(format!(
                    "{} is a symbolic link; remove it",
                    path.display()
                )));
            }
            Err(e) => return Err(e.into()),
        };
        let about = again(|| disk.about(&file))?;
        check_file(
            &about,
            &folder.about,
            &place.path(name),
            &self.store.options,
        )
        .map_err(Unread::Unsafe)?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        self.fill(&file, &mut bytes, HEADER_BYTES, 0)?;
        if bytes.len() < HEADER_BYTES {
            return Err(Damage::Short.into());
        }
        let header = Header::decode(&bytes)?;
        Ok(Some(Source {
            file,
            about,
            header,
        }))
    }

    /// Reads the changes from an offset on, up to what was there when it was opened, and says where the last whole
    /// frame ends.
    pub(super) fn changes(
        &self,
        source: &Source,
        from: u64,
        each: &mut dyn FnMut(Change<'_>) -> Result<(), Damage>,
    ) -> Result<u64, Unread> {
        let (mut bytes, mut start, mut offset) = (Vec::new(), 0, from);
        loop {
            match codec::frame(&bytes[start..])? {
                Frame::Whole(frame) => {
                    codec::changes(frame, each)?;
                    start += FRAME_START + frame.len();
                    offset += (FRAME_START + frame.len()) as u64;
                }
                Frame::Needs(count) => {
                    bytes.drain(..start);
                    start = 0;
                    let left = usize::try_from(source.about.bytes.saturating_sub(offset));
                    let left = left.unwrap_or(usize::MAX);
                    if left < count {
                        return Ok(offset);
                    }
                    self.fill(&source.file, &mut bytes, left.min(2 * FULL), offset)?;
                    if bytes.len() < count {
                        return Ok(offset);
                    }
                }
            }
        }
    }

    /// Reads until there are so many bytes, or no more. The first of them stands at the offset.
    fn fill(
        &self,
        file: &File,
        bytes: &mut Vec<u8>,
        count: usize,
        offset: u64,
    ) -> Result<(), Unread> {
        let mut filled = bytes.len();
        bytes.resize(count.max(filled), 0);
        while filled < bytes.len() {
            let at = offset + filled as u64;
            let read = again(|| self.store.disk.read_at(file, &mut bytes[filled..], at));
            match read? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        Ok(())
    }

    /// Repeats what found a file damaged: somebody may be changing it in place.
    pub(super) fn patiently<T>(
        &self,
        name: &OsStr,
        mut read: impl FnMut() -> Result<T, Unread>,
    ) -> Result<T, BackendError> {
        let mut tries = 0;
        loop {
            match read() {
                Err(Unread::Damage(_)) if tries < RETRIES => {
                    tries += 1;
                    self.store.disk.pause(PAUSE);
                }
                result => return result.map_err(|why| self.unread(name, why)),
            }
        }
    }

    fn unread(&self, name: &OsStr, why: Unread) -> BackendError {
        let place = &self.store.place;
        let path = place.path(name);
        match why {
            Unread::Io(error) => place.failed(&format!("read {}", path.display()), &error),
            Unread::Unsafe(why) => place.unsafe_because(why),
            Unread::Damage(damage) => BackendError::Unavailable {
                place: place.describe(),
                what: format!(
                    "{} has no leases that can be read: {damage}; remove it, and whoever lives begins its leases \
                     again within seconds",
                    path.display()
                ),
                source: None,
            },
        }
    }

    /// The names in the folder that begin so.
    pub(super) fn names(
        &self,
        folder: &Folder,
        start: &str,
    ) -> Result<Vec<OsString>, BackendError> {
        let mut names = again(|| self.store.disk.list(&folder.file))
            .map_err(|e| self.store.place.failed("list the files of leases", &e))?;
        names.retain(|name| name.as_encoded_bytes().starts_with(start.as_bytes()));
        Ok(names)
    }
}

/// Writes changes in frames.
#[derive(Debug)]
pub(super) struct Writing<'a> {
    store: &'a Store,
    file: &'a File,
    frame: Vec<u8>,
    pub(super) written: u64,
}

impl<'a> Writing<'a> {
    pub(super) fn new(store: &'a Store, file: &'a File) -> Self {
        Self {
            store,
            file,
            frame: vec![0; FRAME_START],
            written: 0,
        }
    }

    pub(super) fn header(&mut self, header: Header) -> io::Result<()> {
        self.store
            .write_all(self.file, header.encode().as_bytes())?;
        self.written += HEADER_BYTES as u64;
        Ok(())
    }

    pub(super) fn push(&mut self, change: &Change<'_>) -> io::Result<()> {
        change.encode(&mut self.frame);
        if self.frame.len() >= FULL {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is left, and says how many bytes there were in all.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        Ok(self.written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.len() > FRAME_START {
            codec::close_frame(&mut self.frame);
            self.store.write_all(self.file, &self.frame)?;
            self.written += self.frame.len() as u64;
            self.frame.truncate(FRAME_START);
        }
        Ok(())
    }
}
