//! Leases beside the state file: the promises of every store, and processes that are killed, crowded and badly
//! treated.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use maintenance_mode::SiteName;
use maintenance_mode::backend::{BackendError, FileBackend, FileOptions, StateBackend};
use maintenance_mode::presence::{Holder, Lease, LeaseKey, LeaseKind, PresenceBackend};
use maintenance_mode_conformance::backend_suite::{Broken, Place};
use maintenance_mode_conformance::presence_suite;
use maintenance_mode_conformance::process::{Mount, Process, Random, STRANGER, is_root};
use tempfile::TempDir;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_secs(1);
const ADA: Holder = Holder::from_bits(0xada);
const BOB: Holder = Holder::from_bits(0xb0b);

struct Files {
    _folder: TempDir,
    path: PathBuf,
}

#[async_trait]
impl Place for Files {
    async fn open(&self) -> Result<Arc<dyn StateBackend>, Broken> {
        Ok(Arc::new(FileBackend::open(
            &self.path,
            FileOptions::default(),
        )?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise_of_presence() -> Result<(), Broken> {
    presence_suite::run(async || {
        let (folder, path) = place();
        let files = Files {
            _folder: folder,
            path,
        };
        Ok(Box::new(files) as Box<dyn Place>)
    })
    .await
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    (folder, path)
}

fn open(path: &Path) -> Arc<dyn PresenceBackend> {
    let backend = FileBackend::open(path, FileOptions::default()).unwrap();
    backend.presence().unwrap()
}

/// The folder of the leases.
fn leases(path: &Path) -> PathBuf {
    path.with_file_name("state.json.leases")
}

fn files(path: &Path, part: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(leases(path)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let fits = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().contains(part);
    paths.filter(fits).collect()
}

fn the_file(path: &Path, part: &str) -> PathBuf {
    let [file] = &files(path, part)[..] else {
        panic!("{:?}", files(path, ""));
    };
    file.clone()
}

fn key(kind: LeaseKind, name: &str) -> LeaseKey {
    LeaseKey {
        kind,
        site: SiteName::default(),
        name: name.parse().unwrap(),
    }
}

fn task(name: &str, holder: Holder) -> Lease {
    Lease::new(key(LeaseKind::Task, name), holder, LONG).unwrap()
}

fn session(name: &str, lasts: Duration) -> Lease {
    Lease::new(key(LeaseKind::Session, name), Holder::EVERYBODY, lasts).unwrap()
}

async fn sessions(presence: &Arc<dyn PresenceBackend>) -> u64 {
    presence.count(LeaseKind::Session, None).await.unwrap()
}

async fn tasks(presence: &Arc<dyn PresenceBackend>) -> u64 {
    presence.count(LeaseKind::Task, None).await.unwrap()
}

fn start(verb: &str, path: &Path, numbers: &[u64]) -> Process {
    Process::spawn(command(verb, path, numbers).arg0("lease_process"))
}

fn command(verb: &str, path: &Path, numbers: &[u64]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lease_process"));
    command.arg(verb).arg(path);
    command.args(numbers.iter().map(u64::to_string));
    command
}

/// 200 times, or until a kill has hit between a new file and its rename; `KILL_CYCLES` sets another number.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_whole_leases() {
    const AT_ONCE: u64 = 100;
    let cycles: u64 = std::env::var("KILL_CYCLES").map_or(200, |n| n.parse().unwrap());
    let (mut in_the_midst, mut killed, mut random) = (0, 0, Random(0x5eed));
    while killed < cycles || (in_the_midst == 0 && killed < 10 * cycles) {
        in_the_midst += kill(AT_ONCE, &mut random).await;
        killed += AT_ONCE;
    }
    println!("{killed} processes killed, {in_the_midst} of them between new file and rename");
    assert!(in_the_midst > 0, "the kills hit nothing");
}

/// Kills so many processes in one place, and says how many of them between new file and rename.
async fn kill(processes: u64, random: &mut Random) -> u64 {
    const SESSIONS: u64 = 100;
    let (_folder, path) = place();
    let reader = open(&path);
    let mut in_the_midst = 0;
    for killed in 1..=processes {
        let mut process = start("renew", &path, &[SESSIONS, 600_000]);
        assert_eq!(process.line(), "ready");
        std::thread::sleep(Duration::from_micros(random.below(5000)));
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        let name = process.child.id().to_string();
        let instances = reader.list(LeaseKind::Instance, None, usize::MAX).await;
        let instances = instances.unwrap();
        assert_eq!(instances.len() as u64, killed);
        let mine = instances.iter().find(|held| held.key.name.as_str() == name);
        assert!(mine.is_some_and(|held| held.note == name), "{mine:?}");
        assert_eq!(sessions(&reader).await, killed * SESSIONS);
        let left = files(&path, ".tmp");
        in_the_midst += u64::from(!left.is_empty());
        left.iter().for_each(|file| fs::remove_file(file).unwrap());
    }
    let all = open(&path).list(LeaseKind::Session, None, usize::MAX).await;
    let all = all.unwrap();
    assert_eq!(all.len() as u64, processes * SESSIONS);
    assert!(all.iter().all(|held| held.note == held.key.name.as_str()));
    in_the_midst
}

#[tokio::test]
async fn one_of_sixteen_processes_takes_a_lease() {
    const TASKS: u64 = 100;
    let (_folder, path) = place();
    let takers: Vec<_> = (0..16).map(|_| start("take", &path, &[TASKS])).collect();
    for taker in &takers {
        assert_eq!(taker.line(), "ready");
    }
    fs::write(path.with_extension("go"), "").unwrap();
    let mut taken = Vec::new();
    for taker in takers {
        let (said, good) = taker.end();
        assert!(good, "{said}");
        taken.push(said.parse::<u64>().unwrap());
    }
    println!("taken by each: {taken:?}");
    assert_eq!(taken.iter().sum::<u64>(), TASKS);
    assert_eq!(tasks(&open(&path)).await, TASKS);
}

#[tokio::test]
async fn many_processes_renew_once_a_second() {
    let (_folder, path) = place();
    let processes: Vec<_> = (0..24).map(|_| start("beat", &path, &[100, 3])).collect();
    let mut longest = Duration::ZERO;
    for process in processes {
        let (said, good) = process.end();
        assert!(good, "{said}");
        longest = longest.max(Duration::from_micros(said.parse().unwrap()));
    }
    let reader = open(&path);
    println!("24 processes; the longest renewal took {longest:?}");
    assert_eq!(reader.count(LeaseKind::Instance, None).await.unwrap(), 24);
    assert_eq!(sessions(&reader).await, 2400);
}

#[tokio::test]
async fn a_session_that_one_process_releases_has_ended_for_all() {
    let (_folder, path) = place();
    let (one, other) = (open(&path), open(&path));
    let both = [session("a", LONG), session("b", LONG)];
    one.renew(&both).await.unwrap();
    other.renew(&both[..1]).await.unwrap();
    assert_eq!(sessions(&one).await, 2);
    let released = [key(LeaseKind::Session, "a")];
    other.release(ADA, &released).await.unwrap();
    assert_eq!(sessions(&one).await, 2, "nobody may end what all hold");
    other.release(Holder::EVERYBODY, &released).await.unwrap();
    assert_eq!((sessions(&one).await, sessions(&open(&path)).await), (1, 1));
    one.renew(&both).await.unwrap();
    assert_eq!(
        (sessions(&other).await, sessions(&open(&path)).await),
        (2, 2)
    );
}

#[tokio::test]
async fn reading_writes_nothing() {
    let (folder, path) = place();
    let reader = open(&path);
    assert_eq!((sessions(&reader).await, tasks(&reader).await), (0, 0));
    reader
        .release(ADA, &[key(LeaseKind::Task, "a")])
        .await
        .unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    let writer = open(&path);
    writer
        .renew(&[session("a", SHORT), task("t", ADA)])
        .await
        .unwrap();
    let changed = || {
        let mut all: Vec<_> = files(&path, "")
            .into_iter()
            .map(|file| {
                (
                    file.clone(),
                    fs::metadata(file).unwrap().modified().unwrap(),
                )
            })
            .collect();
        all.push((
            leases(&path),
            fs::metadata(leases(&path)).unwrap().modified().unwrap(),
        ));
        all
    };
    let before = changed();
    tokio::time::sleep(SHORT + SHORT / 2).await;
    assert_eq!((sessions(&reader).await, tasks(&reader).await), (0, 1));
    let listed = reader.list(LeaseKind::Session, None, 9).await.unwrap();
    assert!(listed.is_empty());
    assert_eq!(changed(), before);
}

#[tokio::test]
async fn files_of_the_dead_are_swept_and_those_of_the_living_kept() {
    let (_folder, path) = place();
    let idle = open(&path);
    idle.renew(&[session("idle", SHORT)]).await.unwrap();
    let of_idle = the_file(&path, "sessions-");
    let mut dead = start("renew", &path, &[10, 1000]);
    assert_eq!(dead.line(), "ready");
    dead.child.kill().unwrap();
    dead.child.wait().unwrap();
    let mut alive = start("renew", &path, &[10, 1000]);
    assert_eq!(alive.line(), "ready");
    assert_eq!(files(&path, "sessions-").len(), 3);
    // A leftover of two hours ago, and a stranger to us.
    let leftover = leases(&path).join(".held.0123456789abcdef.tmp");
    let unknown = leases(&path).join("notes.txt");
    for file in [&leftover, &unknown] {
        let file = fs::File::create(file).unwrap();
        let old = std::time::SystemTime::now() - Duration::from_secs(7200);
        file.set_modified(old).unwrap();
    }
    tokio::time::sleep(SHORT + SHORT / 2).await;
    open(&path).renew(&[task("any", ADA)]).await.unwrap();
    let left = files(&path, "sessions-");
    assert!(left.contains(&of_idle), "an idle process lost its file");
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(!leftover.exists() && unknown.exists());
    assert_eq!(sessions(&idle).await, 10);
    alive.child.kill().unwrap();
    idle.renew(&[session("idle", LONG)]).await.unwrap();
    assert_eq!(files(&path, "sessions-").len(), 2, "not in its own file");
}

#[tokio::test]
async fn a_removed_folder_costs_no_session_of_the_living() {
    let (_folder, path) = place();
    let (writer, reader) = (open(&path), open(&path));
    writer
        .renew(&[session("a", LONG), session("b", LONG), task("t", ADA)])
        .await
        .unwrap();
    assert_eq!((sessions(&reader).await, tasks(&reader).await), (2, 1));
    fs::remove_dir_all(leases(&path)).unwrap();
    assert_eq!((sessions(&reader).await, tasks(&reader).await), (0, 0));
    writer
        .renew(&[session("c", LONG), task("t", ADA)])
        .await
        .unwrap();
    assert_eq!((sessions(&reader).await, tasks(&reader).await), (3, 1));
    // The same for one file, and for one that somebody cut.
    fs::remove_file(the_file(&path, "sessions-")).unwrap();
    writer.renew(&[session("d", LONG)]).await.unwrap();
    assert_eq!(sessions(&reader).await, 4);
    let file = the_file(&path, "sessions-");
    let half = fs::metadata(&file).unwrap().len() - 5;
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(half)
        .unwrap();
    writer.renew(&[session("e", LONG)]).await.unwrap();
    assert_eq!(
        (sessions(&reader).await, sessions(&open(&path)).await),
        (5, 5)
    );
}

fn says(error: &BackendError, words: &[&str]) {
    let text = error.to_string();
    let all = words.iter().all(|word| text.contains(word));
    assert!(all, "{text}");
}

/// Whatever is wrong is said with its file, and nothing is counted as if it were not there.
#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_never_nothing() {
    let (_folder, path) = place();
    let writer = open(&path);
    writer
        .renew(&[session("a", LONG), task("t", ADA)])
        .await
        .unwrap();
    let (table, own) = (the_file(&path, "held-"), the_file(&path, "sessions-"));
    let run = own
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .rsplit_once('-')
        .unwrap()
        .0
        .to_owned();
    let other = leases(&path).join(format!("{run}-0123456789abcdef"));
    let good = fs::read(&own).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let newer = String::from_utf8_lossy(&good[..60]).replace("leases 1", "leases 2");
    for (bytes, word) in [
        (&b"garbage"[..], "ends in the middle"),
        (&[b'x'; 4096], "does not begin with"),
        (&[0; 4096], "does not begin with"),
        (newer.as_bytes(), "another version"),
        (&flipped, "checksum"),
        (&good[..30], "ends in the middle"),
    ] {
        fs::write(&other, bytes).unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
        let error = open(&path)
            .count(LeaseKind::Session, None)
            .await
            .unwrap_err();
        says(&error, &[word, "0123456789abcdef", "remove it"]);
        assert!(open(&path).list(LeaseKind::Session, None, 5).await.is_err());
        // Nobody else is kept from renewing.
        writer
            .renew(&[session("a", LONG), task("t", ADA)])
            .await
            .unwrap();
    }
    // As a process leaves it that was killed while it wrote.
    fs::write(&other, &good[..good.len() - 1]).unwrap();
    assert_eq!(sessions(&open(&path)).await, 1);
    fs::remove_file(&other).unwrap();

    symlink(&own, &other).unwrap();
    let error = open(&path)
        .count(LeaseKind::Session, None)
        .await
        .unwrap_err();
    assert!(matches!(error, BackendError::Unsafe { .. }));
    says(&error, &["symbolic link"]);
    fs::remove_file(&other).unwrap();
    let made = Command::new("mkfifo").arg(&other).status().unwrap();
    assert!(made.success());
    let error = open(&path)
        .count(LeaseKind::Session, None)
        .await
        .unwrap_err();
    says(&error, &["not a regular file"]);
    fs::remove_file(&other).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o666)).unwrap();
    let error = open(&path)
        .count(LeaseKind::Session, None)
        .await
        .unwrap_err();
    says(&error, &["everyone may write", "chmod"]);
    fs::set_permissions(&own, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(sessions(&open(&path)).await, 1);

    let whole = fs::read(&table).unwrap();
    for bytes in [&whole[..whole.len() - 1], &whole[..10], b"garbage"] {
        fs::write(&table, bytes).unwrap();
        let error = open(&path).count(LeaseKind::Task, None).await.unwrap_err();
        says(&error, &["held-", "remove it"]);
        let refused = open(&path).renew(&[task("t", BOB)]).await;
        assert!(refused.is_err(), "a lease of somebody else is given away");
    }
    fs::remove_file(&table).unwrap();
    symlink("elsewhere", &table).unwrap();
    assert!(matches!(
        open(&path).count(LeaseKind::Task, None).await,
        Err(BackendError::Unsafe { .. })
    ));
    fs::remove_file(&table).unwrap();
    writer.renew(&[task("t", ADA)]).await.unwrap();
    assert_eq!(tasks(&open(&path)).await, 1);
}

#[tokio::test]
async fn a_folder_that_others_rule_is_refused() {
    let (_folder, path) = place();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), leases(&path)).unwrap();
    let presence = open(&path);
    let error = presence.renew(&[task("t", ADA)]).await.unwrap_err();
    says(&error, &["symbolic link"]);
    assert!(presence.count(LeaseKind::Task, None).await.is_err());
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    fs::remove_file(leases(&path)).unwrap();
    fs::create_dir(leases(&path)).unwrap();
    fs::set_permissions(leases(&path), fs::Permissions::from_mode(0o1777)).unwrap();
    let error = presence.renew(&[task("t", ADA)]).await.unwrap_err();
    says(&error, &["everyone may write", "chmod"]);
    fs::set_permissions(leases(&path), fs::Permissions::from_mode(0o700)).unwrap();
    presence.renew(&[task("t", ADA)]).await.unwrap();
}

/// Only root can give files away; as a plain user the rights alone are checked.
#[tokio::test]
async fn owners_and_rights_are_checked_and_kept() {
    let (folder, path) = place();
    if is_root() {
        let presence = open(&path);
        let both = [session("a", LONG), task("t", ADA)];
        presence.renew(&both).await.unwrap();
        for part in ["held-", "sessions-"] {
            let file = the_file(&path, part);
            chown(&file, Some(STRANGER), None).unwrap();
            let kind = if part == "held-" {
                LeaseKind::Task
            } else {
                LeaseKind::Session
            };
            let error = open(&path).count(kind, None).await.unwrap_err();
            says(&error, &["belongs to uid 65534", "chown"]);
            fs::remove_file(file).unwrap();
        }
        chown(leases(&path), Some(STRANGER), None).unwrap();
        let error = open(&path).renew(&both).await.unwrap_err();
        says(&error, &["belongs to uid 65534", "chown"]);
        fs::remove_dir_all(leases(&path)).unwrap();
        // What root makes in a service's folder belongs to the service.
        chown(folder.path(), Some(STRANGER), Some(STRANGER)).unwrap();
        open(&path).renew(&both).await.unwrap();
        let owner = |path: &Path| std::os::unix::fs::MetadataExt::uid(&fs::metadata(path).unwrap());
        assert_eq!(owner(&leases(&path)), STRANGER);
        for file in files(&path, "") {
            assert_eq!(owner(&file), STRANGER, "{file:?}");
        }
    } else {
        open(&path)
            .renew(&[session("a", LONG), task("t", ADA)])
            .await
            .unwrap();
    }
    let tools = tempfile::tempdir().unwrap();
    let binary = tools.path().join("lease_process");
    fs::copy(env!("CARGO_BIN_EXE_lease_process"), &binary).unwrap();
    fs::set_permissions(tools.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let run = |verb: &str, number: &str| {
        let mut command = Command::new(&binary);
        command.arg(verb).arg(&path).args([number, "1"]);
        if is_root() {
            command.uid(STRANGER).gid(STRANGER);
        }
        Process::spawn(&mut command).end()
    };
    assert_eq!(run("count", "0"), ("1".to_owned(), true));
    let (said, good) = run("beat", "5");
    assert!(good, "{said}");
    assert_eq!(run("count", "0"), ("6".to_owned(), true));
    let file = files(&path, "sessions-").remove(0);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let (said, good) = run("count", "0");
    assert!(
        !good && said.contains("sessions-") && said.contains("chown"),
        "{said}"
    );
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(leases(&path), fs::Permissions::from_mode(0o500)).unwrap();
    let (said, good) = run("beat", "5");
    assert!(!good && said.contains("chmod"), "{said}");
    assert_eq!(run("count", "0"), ("6".to_owned(), true));
    fs::set_permissions(leases(&path), fs::Permissions::from_mode(0o000)).unwrap();
    let (said, good) = run("count", "0");
    assert!(!good && said.contains("cannot open the folder"), "{said}");
    fs::set_permissions(leases(&path), fs::Permissions::from_mode(0o700)).unwrap();
}

/// The same faults are injected into every call by the crate's own tests; here the real thing, where mounting
/// is allowed.
#[tokio::test]
async fn a_full_disk_keeps_what_was_there() {
    let Some(mount) = Mount::new("128k") else {
        println!("mounting is not allowed here: only leases on an ordinary disk are checked");
        let (_folder, path) = place();
        open(&path).renew(&[task("t", ADA)]).await.unwrap();
        return assert_eq!(tasks(&open(&path)).await, 1);
    };
    println!("on a file system of 128 KiB");
    let path = mount.path().join("state.json");
    let presence = open(&path);
    presence
        .renew(&[session("a", LONG), task("t", ADA)])
        .await
        .unwrap();
    let many: Vec<Lease> = (0..5000).map(|n| session(&n.to_string(), LONG)).collect();
    let error = presence.renew(&many).await.unwrap_err();
    says(&error, &["make room"]);
    let some = sessions(&open(&path)).await;
    assert!((1..5001).contains(&some), "{some}");
    let filler = mount.path().join("filler");
    assert!(fs::write(&filler, vec![0; 1 << 20]).is_err());
    let error = presence
        .renew(&[task("t", ADA), task("u", ADA)])
        .await
        .unwrap_err();
    says(&error, &["make room"]);
    assert_eq!(tasks(&open(&path)).await, 1);
    assert!(files(&path, ".tmp").is_empty());
    fs::remove_file(&filler).unwrap();
    let keys: Vec<LeaseKey> = many.iter().map(|lease| lease.key().clone()).collect();
    mount.remount("size=4m");
    presence.release(Holder::EVERYBODY, &keys).await.unwrap();
    presence
        .renew(&[session("b", LONG), task("u", ADA)])
        .await
        .unwrap();
    assert_eq!(
        (sessions(&open(&path)).await, tasks(&open(&path)).await),
        (2, 2)
    );
    // While it lives it has a file open for writing, and the system mounts nothing read-only under it.
    drop(presence);
    mount.remount("ro");
    let error = open(&path).renew(&[session("b", LONG)]).await.unwrap_err();
    says(&error, &["mounted read-only"]);
    assert_eq!(sessions(&open(&path)).await, 2);
    mount.remount("rw");
}

#[tokio::test]
async fn what_it_cannot_do_is_said() {
    let (_folder, path) = place();
    let lease = Lease::new(key(LeaseKind::Session, "a"), ADA, LONG).unwrap();
    let error = open(&path)
        .renew(&[task("t", ADA), lease])
        .await
        .unwrap_err();
    assert!(matches!(error, BackendError::Unsupported { .. }), "{error}");
    assert_eq!(tasks(&open(&path)).await, 0, "half of a batch was renewed");
    let options = FileOptions::default().follow_links(true);
    let error = FileBackend::open(&path, options).unwrap().presence();
    assert!(matches!(error, Err(BackendError::Unsupported { .. })));
    assert!(open(&path).describe().ends_with("state.json"));
}

/// A process that stops while it has the lock is named; the others go on with what needs no lock.
#[tokio::test]
async fn a_lock_that_is_never_given_back_is_an_error_in_time() {
    let (_folder, path) = place();
    open(&path).renew(&[task("t", ADA)]).await.unwrap();
    let lock = fs::File::options()
        .write(true)
        .open(leases(&path).join("held.lock"))
        .unwrap();
    lock.lock().unwrap();
    let options = FileOptions::default().lock_timeout(Duration::from_millis(200));
    let presence = FileBackend::open(&path, options)
        .unwrap()
        .presence()
        .unwrap();
    let start = Instant::now();
    let error = presence.renew(&[task("u", ADA)]).await.unwrap_err();
    says(&error, &["has held the lock", "held.lock"]);
    assert!(start.elapsed() < Duration::from_secs(3));
    presence.renew(&[session("a", LONG)]).await.unwrap();
    assert_eq!((sessions(&presence).await, tasks(&presence).await), (1, 1));
}
