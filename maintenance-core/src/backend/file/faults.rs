//! Every file call fails in turn: old or new, never torn, never empty, and an error unless it was stored.

#![allow(clippy::unwrap_used)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::io::Errno;

use super::disk::{About, Disk, Mount, Open, RealDisk};
use super::{FileBackend, FileOptions, Store};
use crate::backend::BackendError;
use crate::state::{Epoch, Mode, SiteName, State};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call fails and does nothing.
    Error(Errno),
    /// The call does its work and then says that it failed; only for calls that may really do so.
    Late(Errno),
    /// A read or write moves half of what it could.
    Short,
}

pub(crate) const FAULTS: [Fault; 9] = [
    Fault::Error(Errno::IO),
    Fault::Error(Errno::NOSPC),
    Fault::Error(Errno::ACCESS),
    Fault::Error(Errno::INTR),
    Fault::Error(Errno::ROFS),
    Fault::Error(Errno::STALE),
    Fault::Late(Errno::IO),
    Fault::Late(Errno::INTR),
    Fault::Short,
];

/// Lets call number `at` fail, or all from there on.
#[derive(Debug)]
pub(crate) struct FaultyDisk {
    fault: Fault,
    at: usize,
    forever: bool,
    pub(crate) calls: AtomicUsize,
    /// Whether data may not have reached the disk.
    unsynced: AtomicBool,
}

impl FaultyDisk {
    pub(crate) fn new(fault: Fault, at: usize, forever: bool) -> Arc<Self> {
        let calls = AtomicUsize::new(0);
        let unsynced = AtomicBool::new(false);
        Arc::new(Self {
            fault,
            at,
            forever,
            calls,
            unsynced,
        })
    }

    /// Nothing fails, and nobody waits.
    pub(crate) fn sound() -> Arc<Self> {
        Self::new(Fault::Short, usize::MAX, false)
    }

    fn hit(&self) -> bool {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        call == self.at || (self.forever && call > self.at)
    }

    fn call<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.fault {
            Fault::Error(errno) if self.hit() => Err(errno.into()),
            Fault::Error(_) => work(),
            Fault::Late(_) | Fault::Short => {
                self.hit();
                work()
            }
        }
    }

    fn change<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.fault {
            Fault::Late(errno) if self.hit() => work().and(Err(errno.into())),
            Fault::Late(_) => work(),
            Fault::Error(_) | Fault::Short => self.call(work),
        }
    }

    fn moved(&self, len: usize) -> io::Result<usize> {
        match self.fault {
            Fault::Short if self.hit() => Ok(len.div_ceil(2)),
            Fault::Short => Ok(len),
            Fault::Error(_) | Fault::Late(_) => self.call(|| Ok(len)),
        }
    }
}

impl Disk for FaultyDisk {
    fn open_folder(&self, path: &Path, follow: bool) -> io::Result<File> {
        self.call(|| RealDisk.open_folder(path, follow))
    }
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.call(|| RealDisk.make_folder(path))
    }
    fn open(&self, folder: &File, name: &OsStr, how: Open) -> io::Result<File> {
        self.call(|| RealDisk.open(folder, name, how))
    }
    fn about(&self, file: &File) -> io::Result<About> {
        self.call(|| RealDisk.about(file))
    }
    fn inode(&self, folder: &File, name: &OsStr) -> io::Result<Option<u64>> {
        self.call(|| RealDisk.inode(folder, name))
    }
    fn read(&self, file: &File, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.moved(buffer.len())?;
        RealDisk.read(file, &mut buffer[..len])
    }
    fn read_at(&self, file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let len = self.moved(buffer.len())?;
        RealDisk.read_at(file, &mut buffer[..len], offset)
    }
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        let len = self.moved(bytes.len())?;
        RealDisk.write(file, &bytes[..len])
    }
    fn empty(&self, file: &File) -> io::Result<()> {
        self.call(|| RealDisk.empty(file))
    }
    fn set_owner(&self, file: &File, owner: Option<u32>, group: Option<u32>) -> io::Result<()> {
        self.call(|| RealDisk.set_owner(file, owner, group))
    }
    fn set_mode(&self, file: &File, mode: u32) -> io::Result<()> {
        self.call(|| RealDisk.set_mode(file, mode))
    }
    fn sync(&self, file: &File) -> io::Result<()> {
        let result = self.change(|| RealDisk.sync(file));
        let interrupted = matches!(&result, Err(e) if e.kind() == io::ErrorKind::Interrupted);
        if result.is_err() && !interrupted {
            self.unsynced.store(true, Ordering::Relaxed);
        }
        result
    }
    fn rename(&self, folder: &File, from: &OsStr, to: &OsStr) -> io::Result<()> {
        self.change(|| RealDisk.rename(folder, from, to))
    }
    fn link(&self, folder: &File, from: &OsStr, to: &OsStr) -> io::Result<()> {
        self.change(|| RealDisk.link(folder, from, to))
    }
    fn unlink(&self, folder: &File, name: &OsStr) -> io::Result<()> {
        self.change(|| RealDisk.unlink(folder, name))
    }
    fn list(&self, folder: &File) -> io::Result<Vec<OsString>> {
        self.call(|| RealDisk.list(folder))
    }
    fn mount(&self, folder: &File) -> io::Result<Mount> {
        self.call(|| RealDisk.mount(folder))
    }
    fn lock(&self, file: &File, shared: bool) -> io::Result<bool> {
        self.call(|| RealDisk.lock(file, shared))
    }
    fn pause(&self, _duration: std::time::Duration) {}
}

fn state(epoch: u64, revision: u64) -> State {
    let mut state = State::new(Epoch::from_bits(epoch));
    state.revision = revision;
    state.site_mut(&SiteName::default()).mode = Mode::Offline;
    state
}

fn store(path: &Path, disk: Arc<dyn Disk>) -> Arc<Store> {
    FileBackend::on_disk(path, FileOptions::default(), disk)
        .unwrap()
        .store
}

/// In memory where there is such a place: whether `fsync` reaches a disk is not the question here.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// What a fresh reader finds.
#[derive(Debug, PartialEq)]
enum Seen {
    Never,
    Record(State),
    Unreadable,
    Vanished,
}

fn look(path: &Path) -> Seen {
    match store(path, FaultyDisk::sound()).load() {
        Ok(None) => Seen::Never,
        Ok(Some(state)) => Seen::Record(state),
        Err(BackendError::Unreadable { .. }) => Seen::Unreadable,
        Err(BackendError::Vanished { .. }) => Seen::Vanished,
        Err(other) => panic!("{other}"),
    }
}

fn names(folder: &Path, part: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(part)).collect()
}

/// Runs `act` in a fresh place with each fault at each call, until no call is left to fail.
fn fail_everywhere(
    prepare: impl Fn(&Path),
    act: impl Fn(&Store) -> Result<(), BackendError>,
    new: &State,
) {
    let mut runs = 0;
    for fault in FAULTS {
        for forever in [false, true] {
            if forever && matches!(fault, Fault::Error(Errno::INTR) | Fault::Late(Errno::INTR)) {
                // A call that is interrupted for ever is one that never returns.
                continue;
            }
            for at in 1.. {
                let folder = folder();
                let path = folder.path().join("state").join("state.json");
                prepare(&path);
                let old = look(&path);
                let disk = FaultyDisk::new(fault, at, forever);
                let result = act(&store(&path, Arc::clone(&disk) as _));
                if disk.calls.load(Ordering::Relaxed) < at {
                    assert!(result.is_ok(), "without a fault: {result:?}");
                    break;
                }
                runs += 1;
                let context = format!("{fault:?} at call {at}, forever: {forever}, {result:?}");
                let seen = look(&path);
                let is_new = matches!(&seen, Seen::Record(state) if state == new);
                match &result {
                    Ok(()) => assert!(is_new, "stored, but {seen:?}: {context}"),
                    // A first record may then count as lost: that alarms, and does not open the site.
                    Err(BackendError::Unknown { .. }) => assert!(
                        is_new || seen == old || (old == Seen::Never && seen == Seen::Vanished),
                        "{seen:?}: {context}"
                    ),
                    Err(_) => assert_eq!(seen, old, "{context}"),
                }
                if disk.unsynced.load(Ordering::Relaxed) {
                    assert!(result.is_err(), "success without fsync: {context}");
                }
                if !forever {
                    let left = names(path.parent().unwrap(), ".tmp");
                    assert!(left.is_empty(), "{left:?}: {context}");
                    if !matches!(result, Ok(()) | Err(BackendError::Unknown { .. })) {
                        let kept = names(path.parent().unwrap(), ".broken-");
                        assert!(kept.is_empty(), "{kept:?}: {context}");
                    }
                }
            }
        }
    }
    assert!(runs > 100, "only {runs} faults were tried");
}

fn first_record(path: &Path) {
    store(path, FaultyDisk::sound())
        .compare_and_set(None, &state(1, 1))
        .unwrap();
}

#[test]
fn a_replaced_record_is_old_or_new() {
    let next = state(1, 2);
    let act = |store: &Store| store.compare_and_set(Some(state(1, 1).version()), &next);
    fail_everywhere(first_record, act, &next);
}

#[test]
fn a_first_record_is_there_or_not() {
    let next = state(1, 1);
    let act = |store: &Store| store.compare_and_set(None, &next);
    fail_everywhere(
        |path| fs::create_dir(path.parent().unwrap()).unwrap(),
        act,
        &next,
    );
    fail_everywhere(|_| {}, act, &next);
}

#[test]
fn a_record_without_marker_is_old_or_new() {
    let next = state(1, 2);
    let act = |store: &Store| store.compare_and_set(Some(state(1, 1).version()), &next);
    let prepare = |path: &Path| {
        first_record(path);
        fs::remove_file(path.with_file_name("state.json.initialised")).unwrap();
    };
    fail_everywhere(prepare, act, &next);
}

#[test]
fn a_repair_loses_nothing() {
    let next = state(2, 1);
    let broken = b"maintenance-mode-state 1 len=9999 crc32c=00000000\n{";
    let act = |store: &Store| {
        let result = store.repair(&next).map(|_| ());
        let folder = store.place.folder.clone();
        let kept = fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| fs::read(entry.unwrap().path()).ok());
        assert!(
            kept.into_iter().any(|bytes| bytes == broken),
            "the old content is lost: {result:?}"
        );
        result
    };
    let prepare = |path: &Path| {
        first_record(path);
        fs::write(path, broken).unwrap();
    };
    fail_everywhere(prepare, act, &next);
}

#[test]
fn a_failed_read_never_reads_as_never_closed() {
    let next = state(1, 1);
    let act = |store: &Store| -> Result<(), BackendError> {
        let found = store.load()?;
        assert_eq!(found.as_ref(), Some(&next));
        Ok(())
    };
    for fault in FAULTS {
        for at in 1.. {
            let folder = folder();
            let path = folder.path().join("state").join("state.json");
            first_record(&path);
            let disk = FaultyDisk::new(fault, at, false);
            let result = act(&store(&path, Arc::clone(&disk) as _));
            if disk.calls.load(Ordering::Relaxed) < at {
                assert!(result.is_ok() && at > 5);
                break;
            }
        }
    }
}
