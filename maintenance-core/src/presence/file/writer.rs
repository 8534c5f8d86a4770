//! The file of sessions that this process writes, and nobody else.
//!
//! A batch is appended. When the file has more than twice what it needs, a new one takes its place. The process
//! keeps a lock on its file for as long as it lives; a file without that lock is of a dead process.

use std::ffi::OsString;
use std::fs::File;
use std::io;

use super::Leases;
use super::codec::{Change, HEADER_BYTES, Header, Term};
use super::folder::{Folder, Writing};
use super::sessions::Sessions;
use crate::backend::BackendError;
use crate::backend::file::disk::{Open, again};
use crate::backend::file::write::Unlink;
use crate::presence::{Holder, Lease, LeaseKey, LeaseKind};

/// A file may grow by so much before it is asked whether it is twice as large as it need be.
const SLACK: u64 = 1 << 20;

/// What this process writes.
#[derive(Debug, Default)]
pub(super) struct Writer {
    mine: Sessions,
    /// The longest that any session of ours lasts, in milliseconds.
    longest: u64,
    file: Option<Own>,
}

#[derive(Debug)]
struct Own {
    file: File,
    name: OsString,
    inode: u64,
    bytes: u64,
    /// How many bytes it had when it was new.
    compact: u64,
    longest: u64,
    /// A copy of this process that `fork` made must not write to its file.
    process: u32,
    /// Whether it may end in the middle of a frame.
    torn: bool,
}

impl Leases {
    pub(super) fn renew_sessions(&self, leases: &[&Lease]) -> Result<(), BackendError> {
        let folder = self.make()?;
        let mut writer = self.writer();
        let longest = leases.iter().map(|lease| milliseconds(lease));
        writer.longest = longest.map(u64::from).fold(writer.longest, u64::max);
        let stamp = self.clock.stamp();
        let terms: Vec<Term> = leases
            .iter()
            .map(|lease| {
                let (lasts, note) = (milliseconds(lease), lease.note());
                writer.mine.renew(lease.key(), stamp, lasts, note)
            })
            .collect();
        let changes = leases.iter().zip(terms);
        let changes = changes.map(|(lease, term)| change(lease.key(), lease.note(), term));
        writer.store(self, &folder, changes)
    }

    pub(super) fn release_sessions(&self, keys: &[&LeaseKey]) -> Result<(), BackendError> {
        let Some(folder) = self.look()? else {
            return Ok(());
        };
        let mut writer = self.writer();
        // Remembered for as long as what anybody has written of them could live.
        let longest = self.longest(&folder)?.max(writer.longest);
        writer.longest = longest;
        let remembered = u32::try_from(longest).unwrap_or(u32::MAX);
        let stamp = self.clock.stamp();
        let terms: Vec<Term> = keys
            .iter()
            .map(|key| writer.mine.release(key, stamp, remembered))
            .collect();
        let changes = keys.iter().zip(terms);
        let changes = changes.map(|(key, term)| change(key, "", term));
        writer.store(self, &folder, changes)
    }

    /// The longest that a session of any process lasts, in milliseconds.
    fn longest(&self, folder: &Folder) -> Result<u64, BackendError> {
        let mut longest = 0;
        for name in self.names(folder, &self.sessions_start())? {
            let source = self.patiently(&name, || self.source(folder, &name))?;
            longest = source.map_or(longest, |source| longest.max(source.header.longest));
        }
        Ok(longest)
    }

    fn sessions_failed(&self, error: &io::Error) -> BackendError {
        self.store.place.failed("write leases of sessions", error)
    }
}

impl Writer {
    fn store<'a>(
        &mut self,
        leases: &Leases,
        folder: &Folder,
        changes: impl Iterator<Item = Change<'a>>,
    ) -> Result<(), BackendError> {
        let stored = match self.usable(leases, folder) {
            Ok(true) => self.append(leases, changes),
            Ok(false) => self.replace(leases, folder),
            Err(error) => Err(error),
        };
        stored.map_err(|e| leases.sessions_failed(&e))
    }

    /// Whether the file is as we left it, and may be appended to.
    fn usable(&self, leases: &Leases, folder: &Folder) -> io::Result<bool> {
        let Some(own) = &self.file else {
            return Ok(false);
        };
        if own.torn
            || own.process != std::process::id()
            || own.longest < self.longest
            || own.bytes > 2 * own.compact + SLACK
        {
            return Ok(false);
        }
        let disk = &leases.store.disk;
        let there = again(|| disk.inode(&folder.file, &own.name))? == Some(own.inode);
        Ok(there && again(|| disk.about(&own.file))?.bytes == own.bytes)
    }

    fn append<'a>(
        &mut self,
        leases: &Leases,
        changes: impl Iterator<Item = Change<'a>>,
    ) -> io::Result<()> {
        let Some(own) = &mut self.file else {
            return Ok(());
        };
        own.torn = true;
        let mut writing = Writing::new(&leases.store, &own.file);
        for change in changes {
            writing.push(&change)?;
        }
        own.bytes += writing.finish()?;
        own.torn = false;
        Ok(())
    }

    /// Puts a file with all that counts in the place of the old one.
    fn replace(&mut self, leases: &Leases, folder: &Folder) -> io::Result<()> {
        let (store, disk) = (&leases.store, &*leases.store.disk);
        let process = std::process::id();
        let name = match &self.file {
            Some(own) if own.process == process => own.name.clone(),
            _ => leases.new_name()?,
        };
        let header = Header {
            generation: leases.clock.stamp(),
            longest: self.longest,
        };
        self.mine.purge(leases.clock.now());
        let temp = store.temp_name()?;
        let file = again(|| disk.open(&folder.file, &temp, Open::New(0o600)))?;
        let remove = Unlink::new(disk, &folder.file, &temp);
        // Nobody else has it yet, so that it is to be had; and if not, only a sweep could take it from us too early.
        again(|| disk.lock(&file, false))?;
        store.share_with_group(&file, &folder.about)?;
        let mut writing = Writing::new(store, &file);
        writing.header(header)?;
        for (site, name, session) in self.mine.all(None) {
            writing.push(&Change {
                kind: LeaseKind::Session,
                site: site.as_str(),
                name: name.as_str(),
                note: &session.note,
                holder: Holder::EVERYBODY,
                term: session.term,
            })?;
        }
        let bytes = writing.finish()?;
        let inode = again(|| disk.about(&file))?.inode;
        again(|| disk.rename(&folder.file, &temp, &name))?;
        remove.not_needed();
        self.file = Some(Own {
            file,
            name,
            inode,
            bytes,
            compact: bytes.max(HEADER_BYTES as u64),
            longest: self.longest,
            process,
            torn: false,
        });
        Ok(())
    }
}

fn milliseconds(lease: &Lease) -> u32 {
    u32::try_from(lease.lasts().as_millis()).unwrap_or(u32::MAX)
}

fn change<'a>(key: &'a LeaseKey, note: &'a str, term: Term) -> Change<'a> {
    Change {
        kind: key.kind,
        site: key.site.as_str(),
        name: key.name.as_str(),
        note,
        holder: Holder::EVERYBODY,
        term,
    }
}
