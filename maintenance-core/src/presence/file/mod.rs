//! Leases beside the state file, for the processes of one machine.

mod clock;
mod codec;
#[cfg(test)]
mod faults;
mod folder;
mod reader;
mod sessions;
mod sweep;
mod table;
mod writer;

use std::cmp::Reverse;
use std::ffi::OsString;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use self::clock::Clock;
use self::codec::Term;
use self::reader::Reader;
use self::writer::Writer;
use super::{Held, Holder, Lease, LeaseKey, LeaseKind, PresenceBackend};
use crate::backend::BackendError;
use crate::backend::file::Store;
use crate::backend::file::place::Place;
use crate::state::SiteName;

/// Leases in a folder beside the state file, for any number of processes of one machine.
///
/// [`FileBackend`](crate::backend::FileBackend) opens it:
///
/// ```
/// use std::time::Duration;
/// use maintenance_mode::SiteName;
/// use maintenance_mode::backend::{FileBackend, FileOptions, StateBackend};
/// use maintenance_mode::presence::{Holder, Lease, LeaseKey, LeaseKind};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("state.json");
/// let presence = FileBackend::open(&path, FileOptions::default())?.presence()?;
///
/// let key = LeaseKey { kind: LeaseKind::Task, site: SiteName::default(), name: "reindex".parse()? };
/// let task = Lease::new(key, Holder::from_bits(7), Duration::from_secs(30))?;
/// assert!(presence.renew(&[task]).await?.is_empty(), "somebody else is at it");
/// assert_eq!(presence.count(LeaseKind::Task, None).await?, 1);
/// # Ok(())
/// # }
/// ```
///
/// # Files
///
/// ```text
/// /var/lib/site/
///     state.json
///     state.json.leases/                       made by the first renewal; owner and group as of the folder above
///         held-3f0c…                           tasks, instances and owners of all processes
///         held.lock                            whoever changes that file locks this one
///         sessions-3f0c…-0123456789abcdef      the sessions that one process renews
///         .held.0123….tmp                      being written, or left by a process that was killed
/// ```
///
/// - Tasks, instances and owners are few, and only one holder may have each. A batch of them reads the whole file
///   and replaces it under a lock, which is waited for as long as
///   [`lock_timeout`](crate::backend::FileOptions::lock_timeout) says.
/// - Sessions are many, and everybody may renew them. Each process appends its batches to a file of its own and
///   waits for nobody; whoever counts or lists reads all files, from where it ended the last time, and merges them:
///   the latest change counts. A session of one holder is refused as [`BackendError::Unsupported`].
/// - Reading writes nothing and makes nothing. A process that renews looks once a minute for the files of dead
///   processes in which nothing lives, and removes them.
/// - A process that is killed at any moment leaves whole leases: a file is replaced in one step, and of a batch
///   that was being appended those leases count that had been written.
/// - A file that cannot be read or believed is an error that names it, never a count without it.
///
/// # Time
///
/// The clock is the machine's `CLOCK_BOOTTIME`: all processes share it, it goes on while the machine sleeps, and
/// nobody sets it, so that neither a corrected clock nor a leap lets leases live longer or end early. It begins
/// anew when the machine starts; the files' names have the identifier of that start
/// (`/proc/sys/kernel/random/boot_id`), and files of an earlier one are not read. Processes in a time namespace
/// of their own cannot share leases with others.
///
/// Other systems than Linux and Android have no such identifier that could be read without privileges or foreign
/// code, and use the clock on the wall. If that is set back, leases end until they are renewed; if it is set
/// forward, they end early. On no system does a lease live longer than it lasts.
///
/// # What cannot be had from here
///
/// - Leases do not outlive the machine's run, so that nothing waits for the disk (`fsync`): after a loss of power
///   nobody reads these files again. Every process that held something has ended then, too.
/// - Network file systems are refused, for reading as well: their locks cannot be relied upon, and each machine
///   has a clock of its own.
/// - A session that another process renews from now on is as old as its files say: when the first process is
///   dead and its leases have ended, the age counts from the second one's first renewal.
/// - If somebody removes the folder, tasks, instances and owners have ended until their holders renew them, and
///   others may take them in between. Sessions come back with each process's next renewal.
#[derive(Clone, Debug)]
pub struct FilePresence {
    leases: Arc<Leases>,
}

/// The blocking half.
#[derive(Debug)]
struct Leases {
    /// The state that the leases belong to.
    state: Arc<Store>,
    /// The folder of the leases, and how its files are made and locked.
    store: Store,
    clock: Clock,
    writer: Mutex<Writer>,
    reader: Mutex<Reader>,
    /// When files of the dead were last looked for.
    swept: Mutex<Option<Instant>>,
}

impl FilePresence {
    /// Leases beside this state file.
    pub(crate) fn beside(state: &Arc<Store>) -> Result<Self, BackendError> {
        if state.options.follow_links {
            return Err(BackendError::Unsupported {
                backend: "the file backend with `follow_links=true`",
                what: "keep leases of sessions, tasks and instances, because it only reads; name the real file \
                       without that option, or use a database, Redis or NATS",
            });
        }
        let mut name = state.place.record.clone();
        name.push(".leases");
        let place = Place::new(&state.place.folder.join(name).join("held"))?;
        let clock = Clock::new().map_err(|e| BackendError::Unavailable {
            place: state.place.describe(),
            what: format!("cannot keep leases: {e}; have /proc mounted for this process"),
            source: None,
        })?;
        let disk = Arc::clone(&state.disk);
        Ok(Self {
            leases: Arc::new(Leases {
                state: Arc::clone(state),
                store: Store::new(place, state.options.clone(), disk),
                clock,
                writer: Mutex::default(),
                reader: Mutex::default(),
                swept: Mutex::default(),
            }),
        })
    }

    /// Runs a blocking call where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Leases) -> Result<T, BackendError> + Send + 'static,
    ) -> Result<T, BackendError> {
        let leases = Arc::clone(&self.leases);
        let call = tokio::task::spawn_blocking(move || call(&leases));
        call.await.map_err(|error| {
            let place = &self.leases.store.place;
            place.failed("finish the call", &io::Error::other(error))
        })?
    }
}

impl Leases {
    fn table_name(&self) -> OsString {
        format!("held-{}", self.clock.run).into()
    }

    fn sessions_start(&self) -> String {
        format!("sessions-{}-", self.clock.run)
    }

    /// A name for a file of sessions that nobody has.
    fn new_name(&self) -> io::Result<OsString> {
        let random = getrandom::u64().map_err(|e| io::Error::other(e.to_string()))?;
        Ok(format!("{}{random:016x}", self.sessions_start()).into())
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // Whatever a panic left undone in memory is written again with the next whole file.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn renew(&self, leases: &[Lease]) -> Result<Vec<LeaseKey>, BackendError> {
        if leases.is_empty() {
            return Ok(Vec::new());
        }
        let (sessions, rows): (Vec<_>, Vec<_>) = leases
            .iter()
            .partition(|lease| lease.key().kind == LeaseKind::Session);
        if sessions
            .iter()
            .any(|session| session.holder() != Holder::EVERYBODY)
        {
            return Err(BackendError::Unsupported {
                backend: "the file backend",
                what: "keep a session for one holder; sessions are held by everybody",
            });
        }
        let refused = if rows.is_empty() {
            Vec::new()
        } else {
            self.renew_rows(&rows)?
        };
        if !sessions.is_empty() {
            self.renew_sessions(&sessions)?;
        }
        self.sweep();
        Ok(refused)
    }

    fn release(&self, holder: Holder, keys: &[LeaseKey]) -> Result<(), BackendError> {
        let (sessions, rows): (Vec<_>, Vec<_>) =
            keys.iter().partition(|key| key.kind == LeaseKind::Session);
        if !rows.is_empty() {
            self.release_rows(holder, &rows)?;
        }
        if holder == Holder::EVERYBODY && !sessions.is_empty() {
            self.release_sessions(&sessions)?;
        }
        Ok(())
    }

    fn count(&self, kind: LeaseKind, site: Option<&SiteName>) -> Result<u64, BackendError> {
        let folder = self.look()?;
        let count = if kind == LeaseKind::Session {
            let reader = self.caught_up(folder.as_ref())?;
            let now = self.clock.now();
            let all = reader.sessions.all(site);
            all.filter(|(_, _, session)| session.term.lives(now))
                .count()
        } else {
            let table = folder.map(|folder| self.table(&folder)).transpose()?;
            let keys = table.iter().flat_map(|table| table.keys());
            keys.filter(|key| key.belongs(kind, site)).count()
        };
        Ok(count as u64)
    }

    fn list(
        &self,
        kind: LeaseKind,
        site: Option<&SiteName>,
        most: usize,
    ) -> Result<Vec<Held>, BackendError> {
        let folder = self.look()?;
        if kind == LeaseKind::Session {
            return self.list_sessions(&*self.caught_up(folder.as_ref())?, site, most);
        }
        let table = folder.map(|folder| self.table(&folder)).transpose()?;
        let now = self.clock.now();
        let mut held: Vec<Held> = table
            .unwrap_or_default()
            .into_iter()
            .filter(|(key, _)| key.belongs(kind, site))
            .map(|(key, row)| held(key, row.holder, row.note, row.term, now))
            .collect();
        held.sort_by_key(|held| Reverse(held.age));
        held.truncate(most);
        Ok(held)
    }

    fn list_sessions(
        &self,
        reader: &Reader,
        site: Option<&SiteName>,
        most: usize,
    ) -> Result<Vec<Held>, BackendError> {
        let now = self.clock.now();
        let mut found: Vec<_> = reader
            .sessions
            .all(site)
            .filter(|(_, _, session)| session.term.lives(now))
            .collect();
        if most < found.len() {
            found.select_nth_unstable_by_key(most, |(_, _, session)| session.term.began);
            found.truncate(most);
        }
        found.sort_by_key(|(_, _, session)| session.term.began);
        let listed = found.into_iter().map(|(site, name, session)| {
            let key = LeaseKey {
                kind: LeaseKind::Session,
                site: site.clone(),
                name: name.clone(),
            };
            let note = session.note.to_string();
            held(key, Holder::EVERYBODY, note, session.term, now)
        });
        Ok(listed.collect())
    }

    fn caught_up(
        &self,
        folder: Option<&folder::Folder>,
    ) -> Result<MutexGuard<'_, Reader>, BackendError> {
        // What a panic left unread is read again, and what was read twice says the same.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.catch_up(self, folder)?;
        Ok(reader)
    }
}

fn held(key: LeaseKey, holder: Holder, note: String, term: Term, now: u64) -> Held {
    let lasts = Duration::from_millis(u64::from(term.lasts));
    Held {
        key,
        holder,
        note,
        age: Duration::from_nanos(now.saturating_sub(term.began)),
        left: Duration::from_nanos(term.ends().saturating_sub(now)).min(lasts),
    }
}

#[async_trait]
impl PresenceBackend for FilePresence {
    fn describe(&self) -> String {
        self.leases.state.place.describe()
    }

    async fn renew(&self, leases: &[Lease]) -> Result<Vec<LeaseKey>, BackendError> {
        let leases = leases.to_vec();
        self.blocking(move |store| store.renew(&leases)).await
    }

    async fn release(&self, holder: Holder, keys: &[LeaseKey]) -> Result<(), BackendError> {
        let keys = keys.to_vec();
        self.blocking(move |store| store.release(holder, &keys))
            .await
    }

    async fn count(&self, kind: LeaseKind, site: Option<&SiteName>) -> Result<u64, BackendError> {
        let site = site.cloned();
        self.blocking(move |store| store.count(kind, site.as_ref()))
            .await
    }

    async fn list(
        &self,
        kind: LeaseKind,
        site: Option<&SiteName>,
        most: usize,
    ) -> Result<Vec<Held>, BackendError> {
        let site = site.cloned();
        self.blocking(move |store| store.list(kind, site.as_ref(), most))
            .await
    }
}
