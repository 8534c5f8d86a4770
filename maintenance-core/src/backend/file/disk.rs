//! The few file calls that the file backend makes, so that a test can let each of them fail.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, FileType, FlockOperation, Gid, Mode, OFlags, Uid};

/// How to open a file in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// To read; a link is refused.
    Read,
    /// To read; links are followed.
    ReadThroughLinks,
    /// An existing file, to read and write; a link is refused.
    Existing,
    /// A file that does not exist yet, to read and write, with these permissions.
    New(u32),
}

/// What is known of an open file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) owner: u32,
    pub(crate) group: u32,
    pub(crate) mode: u32,
    pub(crate) inode: u64,
    pub(crate) bytes: u64,
    pub(crate) regular: bool,
    pub(crate) modified: Option<SystemTime>,
}

impl About {
    pub(crate) const fn anyone_may_write(&self) -> bool {
        self.mode & 0o002 != 0
    }

    pub(crate) const fn sticky(&self) -> bool {
        self.mode & 0o1000 != 0
    }

    pub(crate) const fn group_may_enter(&self) -> bool {
        self.mode & 0o070 != 0
    }

    pub(crate) const fn group_may_write(&self) -> bool {
        self.mode & 0o020 != 0
    }
}

impl From<&Metadata> for About {
    fn from(meta: &Metadata) -> Self {
        Self {
            owner: meta.uid(),
            group: meta.gid(),
            mode: meta.mode() & 0o7777,
            inode: meta.ino(),
            bytes: meta.len(),
            regular: meta.is_file(),
            modified: meta.modified().ok(),
        }
    }
}

/// What the folder's file system is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) read_only: bool,
    /// Shared over a network, where locks may promise what they do not keep.
    pub(crate) network: bool,
}

/// File calls. Names are relative to an open folder, so that nobody can exchange the folder in between.
pub(crate) trait Disk: fmt::Debug + Send + Sync + 'static {
    fn open_folder(&self, path: &Path, follow: bool) -> io::Result<File>;
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    fn open(&self, folder: &File, name: &OsStr, how: Open) -> io::Result<File>;
    fn about(&self, file: &File) -> io::Result<About>;
    /// The inode behind a name, links not followed.
    fn inode(&self, folder: &File, name: &OsStr) -> io::Result<Option<u64>>;
    fn read(&self, file: &File, buffer: &mut [u8]) -> io::Result<usize>;
    /// Reads from this offset on, wherever reading and writing stand.
    fn read_at(&self, file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize>;
    fn empty(&self, file: &File) -> io::Result<()>;
    fn set_owner(&self, file: &File, owner: Option<u32>, group: Option<u32>) -> io::Result<()>;
    fn set_mode(&self, file: &File, mode: u32) -> io::Result<()>;
    fn sync(&self, file: &File) -> io::Result<()>;
    fn rename(&self, folder: &File, from: &OsStr, to: &OsStr) -> io::Result<()>;
    /// A second name for whatever `from` is, links not followed.
    fn link(&self, folder: &File, from: &OsStr, to: &OsStr) -> io::Result<()>;
    fn unlink(&self, folder: &File, name: &OsStr) -> io::Result<()>;
    fn list(&self, folder: &File) -> io::Result<Vec<OsString>>;
    fn mount(&self, folder: &File) -> io::Result<Mount>;
    /// Whether the lock was to be had at once.
    fn lock(&self, file: &File, shared: bool) -> io::Result<bool>;
    fn pause(&self, duration: Duration);
}

/// The real calls.
#[derive(Debug)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn open_folder(&self, path: &Path, follow: bool) -> io::Result<File> {
        let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        flags.set(OFlags::NOFOLLOW, !follow);
        Ok(File::from(rustix::fs::openat(
            CWD,
            path,
            flags,
            Mode::empty(),
        )?))
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        rustix::fs::mkdirat(CWD, path, Mode::RWXU)?;
        Ok(())
    }

    fn open(&self, folder: &File, name: &OsStr, how: Open) -> io::Result<File> {
        // NONBLOCK: a named pipe in the file's place must not hang the reader.
        let common = OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let (flags, mode) = match how {
            Open::Read => (OFlags::RDONLY | OFlags::NOFOLLOW, 0),
            Open::ReadThroughLinks => (OFlags::RDONLY, 0),
            Open::Existing => (OFlags::RDWR | OFlags::NOFOLLOW, 0),
            Open::New(mode) => (
                OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW,
                mode,
            ),
        };
        let mode = Mode::from_bits_truncate(mode as rustix::fs::RawMode);
        Ok(File::from(rustix::fs::openat(
            folder,
            name,
            flags | common,
            mode,
        )?))
    }

    fn about(&self, file: &File) -> io::Result<About> {
        Ok(About::from(&file.metadata()?))
    }

    fn inode(&self, folder: &File, name: &OsStr) -> io::Result<Option<u64>> {
        match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat.st_ino)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read(&self, mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
        file.read(buffer)
    }

    fn read_at(&self, file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(file, buffer, offset)
    }

    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<usize> {
        file.write(bytes)
    }

    fn empty(&self, file: &File) -> io::Result<()> {
        file.set_len(0)
    }

    fn set_owner(&self, file: &File, owner: Option<u32>, group: Option<u32>) -> io::Result<()> {
        let (owner, group) = (owner.map(Uid::from_raw), group.map(Gid::from_raw));
        rustix::fs::fchown(file, owner, group)?;
        Ok(())
    }

    fn set_mode(&self, file: &File, mode: u32) -> io::Result<()> {
        rustix::fs::fchmod(file, Mode::from_bits_truncate(mode as rustix::fs::RawMode))?;
        Ok(())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, folder: &File, from: &OsStr, to: &OsStr) -> io::Result<()> {
        rustix::fs::renameat(folder, from, folder, to)?;
        Ok(())
    }

    fn link(&self, folder: &File, from: &OsStr, to: &OsStr) -> io::Result<()> {
        rustix::fs::linkat(folder, from, folder, to, AtFlags::empty())?;
        Ok(())
    }

    fn unlink(&self, folder: &File, name: &OsStr) -> io::Result<()> {
        rustix::fs::unlinkat(folder, name, AtFlags::empty())?;
        Ok(())
    }

    fn list(&self, folder: &File) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(folder)? {
            let entry = entry?;
            if entry.file_type() != FileType::Directory {
                names.push(OsStr::from_bytes(entry.file_name().to_bytes()).to_owned());
            }
        }
        Ok(names)
    }

    fn mount(&self, folder: &File) -> io::Result<Mount> {
        let flags = rustix::fs::fstatvfs(folder)?.f_flag;
        Ok(Mount {
            read_only: flags.contains(rustix::fs::StatVfsMountFlags::RDONLY),
            network: is_network(folder)?,
        })
    }

    fn lock(&self, file: &File, shared: bool) -> io::Result<bool> {
        let how = if shared {
            FlockOperation::NonBlockingLockShared
        } else {
            FlockOperation::NonBlockingLockExclusive
        };
        match rustix::fs::flock(file, how) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn pause(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_network(folder: &File) -> io::Result<bool> {
    /// statfs(2): NFS, SMB, CIFS, SMB2, AFS, Coda, NCP, Ceph.
    const NETWORK: [u32; 8] = [
        0x6969,
        0x517b,
        0xff53_4d42,
        0xfe53_4d42,
        0x5346_414f,
        0x7375_7245,
        0x564c,
        0x00c3_6400,
    ];
    let kind = rustix::fs::fstatfs(folder)?.f_type;
    Ok(NETWORK
        .iter()
        .any(|known| i128::from(*known) == i128::from(kind)))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_network(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// Repeats a call that a signal interrupted.
pub(crate) fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
