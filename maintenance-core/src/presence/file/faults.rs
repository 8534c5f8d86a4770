//! Every file call fails in turn: a lease is there or not, nobody loses his own, and nothing is counted short.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::io::Errno;

use crate::backend::file::disk::Disk;
use crate::backend::file::faults::{FAULTS, Fault, FaultyDisk, folder};
use crate::backend::{BackendError, FileBackend, FileOptions, StateBackend};
use crate::presence::{Holder, Lease, LeaseKey, LeaseKind, PresenceBackend};
use crate::state::SiteName;

const ADA: Holder = Holder::from_bits(0xada);
const BOB: Holder = Holder::from_bits(0xb0b);
const KINDS: [LeaseKind; 2] = [LeaseKind::Task, LeaseKind::Session];

type Presence = Arc<dyn PresenceBackend>;

fn presence(path: &Path, disk: Arc<dyn Disk>) -> Presence {
    let backend = FileBackend::on_disk(path, FileOptions::default(), disk).unwrap();
    backend.presence().unwrap()
}

fn key(kind: LeaseKind, name: &str) -> LeaseKey {
    LeaseKey {
        kind,
        site: SiteName::default(),
        name: name.parse().unwrap(),
    }
}

/// A task of this holder and a session.
fn both(name: &str, holder: Holder) -> [Lease; 2] {
    let lease = |kind, holder| Lease::new(key(kind, name), holder, Duration::from_secs(60));
    [
        lease(LeaseKind::Task, holder).unwrap(),
        lease(LeaseKind::Session, Holder::EVERYBODY).unwrap(),
    ]
}

/// The names of what lives, as a fresh reader finds them.
async fn living(path: &Path, kind: LeaseKind) -> Vec<String> {
    let reader = presence(path, FaultyDisk::sound());
    let held = reader.list(kind, None, 100).await.unwrap();
    let mut names: Vec<String> = held.iter().map(|held| held.key.name.to_string()).collect();
    names.sort();
    names
}

fn temporary_files(path: &Path) -> usize {
    let entries = fs::read_dir(path.with_file_name("state.json.leases"));
    let names = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    names
        .filter(|path| path.extension().is_some_and(|e| e == "tmp"))
        .count()
}

/// Begins leases in a new file, appends others, and releases the first.
async fn act(presence: &Presence) -> Result<(), BackendError> {
    assert!(presence.renew(&both("first", BOB)).await?.is_empty());
    let mut batch = both("second", BOB).to_vec();
    batch.push(both("kept", BOB)[0].clone());
    let refused = presence.renew(&batch).await?;
    assert_eq!(refused, [key(LeaseKind::Task, "kept")]);
    presence
        .release(BOB, &[key(LeaseKind::Task, "first")])
        .await?;
    let session = [key(LeaseKind::Session, "first")];
    presence.release(Holder::EVERYBODY, &session).await
}

#[tokio::test]
async fn a_failed_renewal_leaves_whole_leases_and_those_of_others() {
    let mut runs = 0;
    for (fault, forever) in FAULTS
        .into_iter()
        .flat_map(|fault| [(fault, false), (fault, true)])
    {
        if forever && matches!(fault, Fault::Error(Errno::INTR) | Fault::Late(Errno::INTR)) {
            // A call that is interrupted for ever is one that never returns.
            continue;
        }
        for at in 1.. {
            let folder = folder();
            let path = folder.path().join("state.json");
            let other = presence(&path, FaultyDisk::sound());
            other.renew(&both("kept", ADA)).await.unwrap();
            let disk = FaultyDisk::new(fault, at, forever);
            let faulty = presence(&path, Arc::clone(&disk) as _);
            let result = act(&faulty).await;
            let context = format!("{fault:?} at call {at}, forever: {forever}, {result:?}");
            for kind in KINDS {
                let names = living(&path, kind).await;
                assert!(names.contains(&"kept".to_owned()), "{names:?}: {context}");
                if result.is_ok() {
                    assert_eq!(names, ["kept", "second"], "{context}");
                }
            }
            if disk.calls.load(Ordering::Relaxed) < at {
                assert!(result.is_ok(), "without a fault: {context}");
                break;
            }
            runs += 1;
            if !forever {
                assert_eq!(temporary_files(&path), 0, "{context}");
                // Whatever failed, the next renewal puts everything right.
                act(&faulty).await.unwrap();
                for kind in KINDS {
                    assert_eq!(living(&path, kind).await, ["kept", "second"], "{context}");
                }
            }
        }
    }
    assert!(runs > 500, "only {runs} faults were tried");
}

#[tokio::test]
async fn a_failed_reading_never_counts_short() {
    for fault in FAULTS {
        for at in 1.. {
            let folder = folder();
            let path = folder.path().join("state.json");
            for _ in 0..2 {
                let writer = presence(&path, FaultyDisk::sound());
                writer.renew(&both("kept", ADA)).await.unwrap();
            }
            let disk = FaultyDisk::new(fault, at, false);
            let reader = presence(&path, Arc::clone(&disk) as _);
            for kind in KINDS {
                let count = reader.count(kind, None).await;
                assert!(
                    matches!(count, Ok(1) | Err(_)),
                    "{fault:?} at call {at}: {count:?}"
                );
                // And what it has read so far does not mislead it afterwards.
                if count.is_err() {
                    assert_eq!(reader.count(kind, None).await.unwrap(), 1);
                }
            }
            if disk.calls.load(Ordering::Relaxed) < at {
                assert!(at > 15, "only {at} calls");
                break;
            }
        }
    }
}
