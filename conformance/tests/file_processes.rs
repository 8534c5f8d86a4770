//! The file backend among several processes: killed, crowded, watched from outside, and badly treated.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use maintenance_mode::backend::{BackendError, FileBackend, FileOptions, StateBackend};
use maintenance_mode::state::{Mode, SiteName, State, codec};
use maintenance_mode_conformance::backend_suite::records::{
    advance, after, count, create, expect, first,
};
use maintenance_mode_conformance::process::{Mount, Process, Random, STRANGER, is_root};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    (folder, path)
}

fn open(path: &Path) -> FileBackend {
    FileBackend::open(path, FileOptions::default()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn start(arguments: &[&str]) -> Process {
    Process::spawn(Command::new(env!("CARGO_BIN_EXE_state_process")).args(arguments))
}

/// 1 000 times; `KILL_CYCLES` sets another number.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_writer_leaves_the_old_or_the_new_record() {
    let cycles: u32 = std::env::var("KILL_CYCLES").map_or(1000, |n| n.parse().unwrap());
    let (folder, path) = place();
    let backend = open(&path);
    create(&backend).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| tokio::spawn(read_until(open(&path), Arc::clone(&done))))
        .collect();
    let mut random = Random(0x5eed);
    let (mut in_the_midst, mut last) = (0, 1);
    for _ in 0..cycles {
        let mut writer = start(&["count", text(&path), "1000000"]);
        assert_eq!(writer.line(), "ready");
        std::thread::sleep(Duration::from_micros(random.below(5000)));
        writer.child.kill().unwrap();
        writer.child.wait().unwrap();
        let state = backend.load().await.unwrap().unwrap();
        assert!(state.revision >= last && count(&state) + 1 == state.revision);
        last = state.revision;
        in_the_midst += u32::from(temporary_files(folder.path()) > 0);
        remove_temporary_files(folder.path());
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
    let state = backend.load().await.unwrap().unwrap();
    advance(&backend, &state).await.unwrap();
    println!(
        "{cycles} writers killed, {in_the_midst} of them between new file and rename; revision {last}"
    );
    assert!(
        in_the_midst > 0 && last > u64::from(cycles) / 10,
        "the kills hit nothing"
    );
}

async fn read_until(backend: FileBackend, done: Arc<AtomicBool>) -> u64 {
    let (mut reads, mut last) = (0, 0);
    while !done.load(Ordering::Relaxed) {
        let state = backend.load().await.unwrap().unwrap();
        assert!(state.revision >= last && count(&state) + 1 == state.revision);
        last = state.revision;
        reads += 1;
        // Room for the writers on a machine with few cores.
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    reads
}

fn temporary(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "tmp"))
}

fn temporary_files(folder: &Path) -> usize {
    temporary(folder).count()
}

fn remove_temporary_files(folder: &Path) {
    for path in temporary(folder) {
        fs::remove_file(path).unwrap();
    }
}

#[tokio::test]
async fn eight_writers_and_eight_readers_agree() {
    let (_folder, path) = place();
    create(&open(&path)).await.unwrap();
    let start = |verb, number: &str| start(&[verb, text(&path), number]);
    let readers: Vec<_> = (0..8).map(|_| start("read", "3000")).collect();
    let writers: Vec<_> = (0..8).map(|_| start("count", "100")).collect();
    let mut accepted = 0;
    for writer in writers {
        let (said, good) = writer.end();
        assert!(good, "{said}");
        accepted += said.parse::<u64>().unwrap();
    }
    for reader in readers {
        let (said, good) = reader.end();
        assert!(good, "{said}");
    }
    let end = open(&path).load().await.unwrap().unwrap();
    println!("800 tries, {accepted} accepted");
    assert_eq!((end.revision, count(&end)), (accepted + 1, accepted));
    assert!(accepted >= 50);
}

#[tokio::test]
async fn another_process_sees_a_switch_at_once() {
    let (_folder, path) = place();
    let backend = open(&path);
    let mut state = create(&backend).await.unwrap();
    let watcher = start(&["watch", text(&path)]);
    assert_eq!(watcher.line(), "watching");
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        state = advance(&backend, &state).await.unwrap();
        let wanted = format!("revision {}", state.revision);
        while watcher.line() != wanted {
            assert!(
                start.elapsed() < Duration::from_secs(1),
                "{wanted} is not seen"
            );
        }
        times.push(start.elapsed());
    }
    times.sort();
    println!(
        "from the command to the other process: median {:?}, p99 {:?}, longest {:?}",
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        times[times.len() - 1]
    );
    assert!(times[times.len() - 1] < Duration::from_secs(1));
}

/// Runs a shell command, as an operator or a deployment would.
fn shell(folder: &Path, command: &str) {
    let status = Command::new("sh")
        .args(["-ec", command])
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(status.success(), "{command}");
}

/// Fails unless the change shows within a second of hints, and in a plain read without any.
async fn noticed(
    options: &FileOptions,
    path: &Path,
    change: impl FnOnce() + Send,
    is_there: impl Fn(&State) -> bool + Send + Sync,
) {
    let backend = FileBackend::open(path, options.clone()).unwrap();
    backend.load().await.unwrap();
    let mut hints = backend.subscribe().await.unwrap();
    change();
    let wait = async {
        loop {
            hints.next().await.unwrap();
            // In the middle of a change there may be nothing or half a record: an error, and never "off".
            match backend.load().await {
                Ok(Some(state)) if is_there(&state) => return,
                Ok(None) => panic!("a change in between reads as \"never configured\""),
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(1), wait)
        .await
        .expect("no hint led to the new record");
    let fresh = FileBackend::open(path, options.clone()).unwrap();
    assert!(
        is_there(&fresh.load().await.unwrap().unwrap()),
        "a poll does not see it"
    );
}

#[tokio::test]
async fn every_way_of_editing_is_noticed() {
    let ways = [
        "mv new state.json",
        "cp new state.json",
        "cat new > state.json",
        "rm state.json; sleep 0.02; cp new state.json",
        "ln -f new state.json",
        "cp new .state.json.swx; mv state.json state.json~; mv .state.json.swx state.json",
        "install -m 600 new state.json",
    ];
    for way in ways {
        for round in 0..5 {
            let (folder, path) = place();
            let old = create(&open(&path)).await.unwrap();
            let new = after(&old);
            fs::write(folder.path().join("new"), codec::encode(&new).unwrap()).unwrap();
            println!("{way} ({round})");
            let change = || shell(folder.path(), way);
            noticed(&FileOptions::default(), &path, change, |state| {
                *state == new
            })
            .await;
        }
    }
}

#[tokio::test]
async fn an_edit_of_hand_written_json_is_noticed() {
    let (folder, path) = place();
    fs::write(&path, r#"{"sites": {"default": {"mode": "online"}}}"#).unwrap();
    let options = FileOptions::default().lenient(true);
    let mut known = FileBackend::open(&path, options.clone())
        .unwrap()
        .load()
        .await
        .unwrap()
        .unwrap();
    for (from, to, mode) in [
        ("online", "offline", Mode::Offline),
        ("offline", "online", Mode::Online),
    ] {
        let change = || shell(folder.path(), &format!("sed -i s/{from}/{to}/ state.json"));
        let is_there = |state: &State| state.sites[&SiteName::default()].mode == mode;
        noticed(&options, &path, change, is_there).await;
        let now = FileBackend::open(&path, options.clone())
            .unwrap()
            .load()
            .await
            .unwrap()
            .unwrap();
        assert_ne!(
            now.version(),
            known.version(),
            "a reader would take it for the old record"
        );
        known = now;
    }
}

#[tokio::test]
async fn a_config_map_swap_is_noticed() {
    let (folder, path) = place();
    let publish = |n: u32, state: &State| {
        let version = folder.path().join(format!("..2026_11_20_{n}"));
        fs::create_dir(&version).unwrap();
        fs::write(version.join("state.json"), codec::encode(state).unwrap()).unwrap();
        symlink(
            version.file_name().unwrap(),
            folder.path().join("..data_tmp"),
        )
        .unwrap();
        fs::rename(
            folder.path().join("..data_tmp"),
            folder.path().join("..data"),
        )
        .unwrap();
        if n > 0 {
            fs::remove_dir_all(folder.path().join(format!("..2026_11_20_{}", n - 1))).unwrap();
        }
    };
    let mut state = first();
    publish(0, &state);
    symlink("..data/state.json", &path).unwrap();
    let options = FileOptions::default().follow_links(true);
    for n in 1..20 {
        state = after(&state);
        noticed(
            &options,
            &path,
            || publish(n, &state),
            |found| *found == state,
        )
        .await;
    }
}

/// A hostile process exchanges the record for a link to a record of its own, again and again.
#[tokio::test]
async fn a_link_swapped_in_is_never_followed() {
    let (folder, path) = place();
    let backend = open(&path);
    let state = create(&backend).await.unwrap();
    let evil = tempfile::tempdir().unwrap();
    let mut forged = after(&state);
    forged.site_mut(&SiteName::default()).mode = Mode::Online;
    fs::write(evil.path().join("forged"), codec::encode(&forged).unwrap()).unwrap();
    fs::copy(&path, folder.path().join("genuine")).unwrap();
    let script = format!(
        "while :; do ln -s {0}/forged l; mv -f l state.json; ln genuine g; mv -f g state.json; done",
        evil.path().display()
    );
    let mut attacker = Process::spawn(
        Command::new("sh")
            .args(["-c", &script])
            .current_dir(folder.path())
            .stderr(Stdio::null()),
    );
    let (mut genuine, mut refused) = (0, 0);
    let start = Instant::now();
    while (genuine < 200 || refused < 200) && start.elapsed() < Duration::from_secs(20) {
        match backend.load().await {
            Ok(found) => {
                assert_eq!(found.as_ref(), Some(&state), "the forged record was read");
                genuine += 1;
            }
            Err(BackendError::Unsafe { .. } | BackendError::Unavailable { .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    attacker.child.kill().unwrap();
    attacker.child.wait().unwrap();
    println!("{genuine} genuine reads, {refused} refusals");
    assert!(genuine >= 200 && refused >= 200);
}

/// The helper binary where everybody may run it, and how to run it as a user without rights: as root,
/// as another user; else as ourselves.
fn without_rights(folder: &Path) -> impl Fn(&str, &Path) -> (String, bool) {
    let binary = folder.join("state_process");
    fs::copy(env!("CARGO_BIN_EXE_state_process"), &binary).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let root = is_root();
    println!(
        "{}",
        if root {
            "as root, who starts a process of another user"
        } else {
            "as a plain user"
        }
    );
    move |verb, path| {
        let mut command = Command::new(&binary);
        command.args([verb, text(path)]);
        if root {
            command.uid(STRANGER).gid(STRANGER);
        }
        Process::spawn(&mut command).end()
    }
}

#[tokio::test]
async fn missing_permissions_are_an_error_with_a_cure() {
    let (tools, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let run = without_rights(tools.path());
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let folder = home.path().join("site");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("state.json");
    create(&open(&path)).await.unwrap();
    if is_root() {
        for entry in fs::read_dir(&folder).unwrap() {
            chown(entry.unwrap().path(), Some(STRANGER), Some(STRANGER)).unwrap();
        }
        chown(&folder, Some(STRANGER), Some(STRANGER)).unwrap();
    }
    assert_eq!(run("load", &path), ("revision 1".to_owned(), true));
    assert_eq!(run("advance", &path), ("revision 2".to_owned(), true));

    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let (said, good) = run("load", &path);
    assert!(
        !good && said.contains("cannot read it") && said.contains("chown"),
        "{said}"
    );
    let (said, good) = run("advance", &path);
    assert!(!good && said.contains("chmod"), "{said}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).unwrap();
    let (said, good) = run("load", &path);
    assert!(!good && said.contains("cannot open the folder"), "{said}");

    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    assert_eq!(run("load", &path), ("revision 2".to_owned(), true));
    let (said, good) = run("advance", &path);
    assert!(
        !good && said.contains("cannot write a new record") && said.contains(text(&folder)),
        "{said}"
    );
    assert_eq!(run("load", &path), ("revision 2".to_owned(), true));
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(run("advance", &path), ("revision 3".to_owned(), true));
}

/// Only root can give files away; the crate's own tests put the rule to made-up owners, on every machine.
#[tokio::test]
async fn owners_are_checked_and_kept() {
    let (folder, path) = place();
    let backend = open(&path);
    if !is_root() {
        println!(
            "as a plain user, who cannot give files away: the rule itself is tested in the crate"
        );
        let error = FileBackend::open("/proc/1/state.json", FileOptions::default()).map(|_| ());
        assert!(error.is_ok() || matches!(error, Err(BackendError::Unsafe { .. })));
        create(&backend).await.unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().uid(),
            fs::metadata(folder.path()).unwrap().uid()
        );
        return;
    }
    println!("as root");
    let state = create(&backend).await.unwrap();
    chown(&path, Some(STRANGER), None).unwrap();
    for result in [
        backend.load().await.map(|_| ()),
        advance(&backend, &state).await.map(|_| ()),
    ] {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, BackendError::Unsafe { why, .. } if why.contains("chown")),
            "{error}"
        );
    }
    let trusting = FileBackend::open(&path, FileOptions::default().owner(STRANGER)).unwrap();
    expect(&trusting, &state).await.unwrap();
    chown(&path, Some(0), None).unwrap();

    // What root writes in a service's folder belongs to the service.
    let tools = tempfile::tempdir().unwrap();
    let run = without_rights(tools.path());
    fs::remove_file(&path).unwrap();
    fs::remove_file(folder.path().join("state.json.initialised")).unwrap();
    fs::remove_file(folder.path().join("state.json.lock")).unwrap();
    chown(folder.path(), Some(STRANGER), Some(STRANGER)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let all_belong_to_the_service = || {
        for entry in fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(
                entry.metadata().unwrap().uid(),
                STRANGER,
                "{:?}",
                entry.path()
            );
        }
    };
    let by_root = open(&path);
    let state = create(&by_root).await.unwrap();
    all_belong_to_the_service();
    assert_eq!(run("load", &path), ("revision 1".to_owned(), true));
    assert_eq!(run("advance", &path), ("revision 2".to_owned(), true));
    let state = after(&state);
    advance(&by_root, &state).await.unwrap();
    all_belong_to_the_service();
    assert_eq!(run("advance", &path), ("revision 4".to_owned(), true));
    // And a folder that belongs to root is believed by the service, which cannot write there.
    chown(folder.path(), Some(0), Some(0)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(run("load", &path), ("revision 4".to_owned(), true));
    // Another user's folder is not.
    chown(folder.path(), Some(STRANGER - 1), None).unwrap();
    let (said, good) = run("load", &path);
    assert!(
        !good && said.contains("belongs to uid 65533") && said.contains("chown 65534"),
        "{said}"
    );
}

/// The same faults are injected into every call by the crate's own tests, on every machine; here the
/// real thing, where mounting is allowed.
#[tokio::test]
async fn a_full_or_read_only_disk_keeps_the_old_record() {
    let Some(mount) = Mount::new("64k") else {
        println!("mounting is not allowed here: only the record on an ordinary disk is checked");
        let (_folder, path) = place();
        let state = create(&open(&path)).await.unwrap();
        return expect(&open(&path), &state).await.unwrap();
    };
    println!("on a file system of 64 KiB");
    let path = mount.path().join("state.json");
    let backend = open(&path);
    let state = create(&backend).await.unwrap();
    let filler = mount.path().join("filler");
    assert!(
        fs::write(&filler, vec![0; 1 << 20]).is_err(),
        "the disk is not full"
    );
    let error = advance(&backend, &state).await.unwrap_err();
    assert!(
        matches!(&error, BackendError::Unavailable { what, .. } if what.contains("make room")),
        "{error}"
    );
    assert!(matches!(
        backend.repair(&first()).await,
        Err(BackendError::Unavailable { .. })
    ));
    expect(&open(&path), &state).await.unwrap();
    assert_eq!(temporary_files(mount.path()), 0);

    let fresh = open(&mount.path().join("other.json"));
    assert!(create(&fresh).await.is_err());
    assert_eq!(
        open(&mount.path().join("other.json")).load().await.unwrap(),
        None
    );

    fs::remove_file(&filler).unwrap();
    let state = advance(&backend, &state).await.unwrap();
    mount.remount("ro");
    let error = advance(&backend, &state).await.unwrap_err();
    assert!(
        matches!(&error, BackendError::Unavailable { what, .. } if what.contains("mounted read-only")),
        "{error}"
    );
    expect(&open(&path), &state).await.unwrap();
    mount.remount("rw");
    advance(&backend, &state).await.unwrap();
}
