//! The file backend keeps the promises, and those that only a file has.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use maintenance_mode::backend::{
    BackendError, BackendUrl, FileBackend, FileOptions, StateBackend, open_builtin,
};
use maintenance_mode::state::{Mode, codec};
use maintenance_mode_conformance::backend_suite::records::{advance, after, create, expect, first};
use maintenance_mode_conformance::backend_suite::{self, Abilities, Broken, Harness, Load, Place};
use tempfile::TempDir;

struct Files;

#[async_trait]
impl Harness for Files {
    async fn place(&self) -> Result<Box<dyn Place>, Broken> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        Ok(Box::new(Store {
            _folder: folder,
            path,
        }))
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            hints_within: Some(Duration::from_secs(1)),
            corrupt: true,
            vanish: true,
            server_back_within: None,
        }
    }

    fn load(&self) -> Load {
        Load {
            writers: 32,
            tries: 100,
            readers: 8,
        }
    }
}

struct Store {
    _folder: TempDir,
    path: PathBuf,
}

#[async_trait]
impl Place for Store {
    async fn open(&self) -> Result<Arc<dyn StateBackend>, Broken> {
        Ok(Arc::new(FileBackend::open(
            &self.path,
            FileOptions::default(),
        )?))
    }

    async fn corrupt(&self) -> Result<Vec<u8>, Broken> {
        let mut bytes = fs::read(&self.path).unwrap();
        bytes.truncate(bytes.len() / 2);
        fs::write(&self.path, &bytes).unwrap();
        Ok(bytes)
    }

    async fn keeps(&self, old: &[u8], sentence: &str) -> Result<bool, Broken> {
        let path = sentence.strip_prefix("the old record is kept as ").unwrap();
        Ok(fs::read(path).is_ok_and(|bytes| bytes == old))
    }

    async fn vanish(&self) -> Result<(), Broken> {
        fs::remove_file(&self.path).unwrap();
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise() -> Result<(), Broken> {
    let report = backend_suite::run(&Files).await?;
    print!("{report}");
    assert_eq!(
        (report.kept.len(), report.not_applicable.len()),
        (21, 2),
        "{report}"
    );
    Ok(())
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    (folder, path)
}

fn open(path: &Path) -> FileBackend {
    FileBackend::open(path, FileOptions::default()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_missing_folder_was_never_configured_and_is_made_by_the_first_write() {
    let (folder, _) = place();
    let path = folder.path().join("new/state.json");
    let backend = open(&path);
    assert_eq!(backend.load().await.unwrap(), None);
    assert!(!path.parent().unwrap().exists(), "reading makes nothing");
    create(&backend).await.unwrap();
    assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));

    let deeper = open(&folder.path().join("a/b/state.json"));
    let error = create(&deeper).await.unwrap_err();
    assert!(matches!(error, BackendError::Unavailable { .. }), "{error}");
    assert!(!folder.path().join("a").exists());
}

#[tokio::test]
async fn a_removed_folder_is_a_loss_for_whoever_has_read() {
    let (folder, _) = place();
    let path = folder.path().join("new/state.json");
    let backend = open(&path);
    let state = create(&backend).await.unwrap();
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    assert!(matches!(
        backend.load().await,
        Err(BackendError::Vanished { .. })
    ));
    assert!(matches!(
        advance(&backend, &state).await,
        Err(BackendError::Vanished { .. })
    ));
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn permissions_stay_as_they_were() {
    let (folder, path) = place();
    set_mode(folder.path(), 0o750);
    let backend = open(&path);
    let mut state = create(&backend).await.unwrap();
    assert_eq!(mode(&path), 0o640, "the group that may enter may read");
    for kept in [0o600, 0o660, 0o644] {
        set_mode(&path, kept);
        state = advance(&backend, &state).await.unwrap();
        assert_eq!(mode(&path), kept);
    }
}

#[tokio::test]
async fn what_everyone_may_write_is_refused() {
    let (folder, path) = place();
    let backend = open(&path);
    let state = create(&backend).await.unwrap();
    set_mode(&path, 0o666);
    assert!(matches!(
        backend.load().await,
        Err(BackendError::Unsafe { .. })
    ));
    set_mode(&path, 0o600);
    set_mode(folder.path(), 0o777);
    for result in [
        backend.load().await.map(|_| ()),
        advance(&backend, &state).await.map(|_| ()),
    ] {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, BackendError::Unsafe { why, .. } if why.contains("chmod o-w")),
            "{error}"
        );
    }
    let reopened = FileBackend::open(&path, FileOptions::default());
    assert!(
        matches!(reopened, Err(BackendError::Unsafe { .. })),
        "refused at the start"
    );
    set_mode(folder.path(), 0o1777);
    expect(&backend, &state).await.unwrap();
}

#[tokio::test]
async fn links_are_refused_or_read_only() {
    let (folder, real) = place();
    let backend = open(&real);
    let state = create(&backend).await.unwrap();
    let file_link = folder.path().join("link.json");
    symlink(&real, &file_link).unwrap();
    let other = tempfile::tempdir().unwrap();
    let folder_link = other.path().join("link");
    symlink(folder.path(), &folder_link).unwrap();
    for path in [file_link, folder_link.join("state.json")] {
        let opened = FileBackend::open(&path, FileOptions::default());
        let result = match opened {
            Ok(backend) => backend.load().await,
            Err(error) => Err(error),
        };
        let error = result.unwrap_err();
        assert!(
            matches!(&error, BackendError::Unsafe { why, .. } if why.contains("follow_links=true")),
            "{error}"
        );

        let following =
            FileBackend::open(&path, FileOptions::default().follow_links(true)).unwrap();
        expect(&following, &state).await.unwrap();
        let error = advance(&following, &state).await.unwrap_err();
        assert!(
            matches!(&error, BackendError::Unavailable { what, .. } if what.contains("reading only")),
            "{error}"
        );
        assert!(matches!(
            following.repair(&first()).await,
            Err(BackendError::Unavailable { .. })
        ));
    }
    expect(&backend, &state).await.unwrap();
}

#[tokio::test]
async fn a_link_in_place_of_the_lock_is_not_followed() {
    let (folder, path) = place();
    let target = folder.path().join("precious");
    fs::write(&target, "precious").unwrap();
    symlink(&target, folder.path().join("state.json.lock")).unwrap();
    let error = create(&open(&path)).await.unwrap_err();
    assert!(matches!(error, BackendError::Unsafe { .. }), "{error}");
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

#[tokio::test]
async fn things_that_are_no_files_do_not_hang_the_reader() {
    let (_folder, path) = place();
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    let error = tokio::time::timeout(Duration::from_secs(5), open(&path).load())
        .await
        .unwrap()
        .unwrap_err();
    assert!(
        matches!(&error, BackendError::Unsafe { why, .. } if why.contains("not a regular file")),
        "{error}"
    );
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = open(&path).load().await.unwrap_err();
    assert!(matches!(error, BackendError::Unsafe { .. }), "{error}");
    let next = first();
    let sentence = open(&path).repair(&next).await.unwrap().unwrap();
    assert!(sentence.contains(".broken-"));
    expect(&open(&path), &next).await.unwrap();
}

#[tokio::test]
async fn a_held_lock_is_waited_for_and_its_holder_named() {
    let (folder, path) = place();
    let options = FileOptions::default().lock_timeout(Duration::from_millis(200));
    let backend = FileBackend::open(&path, options).unwrap();
    let state = create(&backend).await.unwrap();
    let lock = File::options()
        .read(true)
        .write(true)
        .open(folder.path().join("state.json.lock"))
        .unwrap();
    lock.lock().unwrap();
    fs::write(folder.path().join("state.json.lock"), "4711\n").unwrap();
    expect(&backend, &state).await.unwrap();
    let error = advance(&backend, &state).await.unwrap_err();
    assert!(
        matches!(&error, BackendError::Unavailable { what, .. } if what.contains("process 4711")),
        "{error}"
    );
    let waiting = open(&path);
    let write = tokio::spawn(async move { advance(&waiting, &state).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!write.is_finished(), "it does not wait for the lock");
    lock.unlock().unwrap();
    assert_eq!(write.await.unwrap().unwrap().revision, 2);
}

#[tokio::test]
async fn what_a_killed_writer_left_is_removed_after_an_hour() {
    let (folder, path) = place();
    let old = folder.path().join(".state.json.0123456789abcdef.tmp");
    let young = folder.path().join(".state.json.fedcba9876543210.tmp");
    let foreign = folder.path().join(".state.json.swp");
    for (file, minutes) in [(&old, 61), (&young, 59), (&foreign, 600)] {
        let age = Duration::from_secs(minutes * 60);
        File::create(file)
            .unwrap()
            .set_modified(SystemTime::now() - age)
            .unwrap();
    }
    create(&open(&path)).await.unwrap();
    assert!(!old.exists() && young.exists() && foreign.exists());
}

#[tokio::test]
async fn a_record_brought_from_elsewhere_gets_its_marker_with_the_first_write() {
    let (folder, path) = place();
    let state = first();
    fs::write(&path, codec::encode(&state).unwrap()).unwrap();
    let backend = open(&path);
    let newer = advance(&backend, &state).await.unwrap();
    assert!(folder.path().join("state.json.initialised").exists());
    fs::remove_file(&path).unwrap();
    assert!(matches!(
        open(&path).load().await,
        Err(BackendError::Vanished { .. })
    ));
    assert_eq!(newer.revision, 2);
}

#[tokio::test]
async fn hand_written_json_needs_to_be_allowed() {
    let (folder, path) = place();
    fs::write(&path, r#"{"sites": {"default": {"mode": "offline"}}}"#).unwrap();
    let error = open(&path).load().await.unwrap_err();
    assert!(
        matches!(&error, BackendError::Unreadable { why, .. } if why.contains("lenient=true")),
        "{error}"
    );
    let url: BackendUrl = "file:state.json?lenient=true".parse().unwrap();
    let backend = open_builtin(&url, folder.path()).unwrap();
    let state = backend.load().await.unwrap().unwrap();
    assert_eq!(state.sites["default"].mode, Mode::Offline);
    let newer = advance(&*backend, &state).await.unwrap();
    expect(&open(&path), &newer).await.unwrap();
}

#[tokio::test]
async fn one_change_is_one_hint_and_reading_is_none() {
    let (_folder, path) = place();
    let (backend, writer) = (open(&path), open(&path));
    let state = create(&writer).await.unwrap();
    let mut hints = backend.subscribe().await.unwrap();
    let silence = Duration::from_millis(300);
    for _ in 0..10 {
        backend.load().await.unwrap();
    }
    assert!(
        tokio::time::timeout(silence, hints.next()).await.is_err(),
        "reading hints at itself"
    );
    advance(&writer, &state).await.unwrap();
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(1), hints.next())
            .await
            .unwrap(),
        Some(())
    );
    assert!(
        tokio::time::timeout(silence, hints.next()).await.is_err(),
        "one change, two hints"
    );
}

#[tokio::test]
async fn a_subscription_ends_with_its_folder() {
    for moved in [false, true] {
        let (folder, _) = place();
        let path = folder.path().join("new/state.json");
        let backend = open(&path);
        assert!(
            backend.subscribe().await.is_err(),
            "there is nothing to watch"
        );
        create(&backend).await.unwrap();
        let mut hints = backend.subscribe().await.unwrap();
        if moved {
            fs::rename(folder.path().join("new"), folder.path().join("old")).unwrap();
        } else {
            fs::remove_dir_all(folder.path().join("new")).unwrap();
        }
        let end = async { while hints.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(2), end)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_full_record_is_read_whole_while_somebody_copies_over_it() {
    let (_folder, path) = place();
    let backend = open(&path);
    let old = create(&backend).await.unwrap();
    let new = codec::encode(&after(&old)).unwrap();
    let copied = path.clone();
    // In place and slowly, as `cp` over a slow link does it: 12 ms with half a record.
    let copy = std::thread::spawn(move || {
        fs::write(&copied, &new[..new.len() / 2]).unwrap();
        std::thread::sleep(Duration::from_millis(12));
        fs::write(&copied, &new).unwrap();
    });
    while !copy.is_finished() {
        let state = backend.load().await.unwrap().unwrap();
        assert!(state.revision <= 2);
    }
    copy.join().unwrap();
    expect(&backend, &after(&old)).await.unwrap();
}
