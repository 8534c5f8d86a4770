//! Writes whose answer does not come, and stores that are busy.

use std::sync::Arc;

use maintenance_mode::backend::{BackendError, StateBackend};
use maintenance_mode::state::State;
use maintenance_mode_conformance::backend_suite::records::{advance, after, create, expect};
use maintenance_mode_conformance::object_server::Fault;

use crate::support::{KEY, Site};

/// A record, and a handle that has written it.
async fn begun() -> (Site, Arc<dyn StateBackend>, State) {
    let site = Site::new().await;
    let backend = site.open();
    let state = create(&*backend).await.unwrap();
    (site, backend, state)
}

#[tokio::test]
async fn a_write_that_was_stored_counts_although_its_answer_was_lost() {
    for fault in [
        Fault::DoAndClose,
        Fault::DoAndHang,
        Fault::DoAndRefuse(500, "InternalError"),
        Fault::DoAndRefuse(503, "SlowDown"),
    ] {
        let (site, backend, state) = begun().await;
        site.server.faults().plan("PUT", KEY, fault, 1);
        let newer = advance(&*backend, &state).await;
        let newer = newer.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        expect(&*site.open(), &newer).await.unwrap();
        advance(&*backend, &newer).await.unwrap();
    }
    let site = Site::new().await;
    site.server.faults().plan("PUT", KEY, Fault::DoAndClose, 1);
    let created = create(&*site.open()).await.unwrap();
    expect(&*site.open(), &created).await.unwrap();
}

#[tokio::test]
async fn a_write_that_was_not_stored_is_sent_again() {
    for fault in [
        Fault::Close,
        Fault::Refuse(500, "InternalError"),
        Fault::Refuse(503, "SlowDown"),
    ] {
        let (site, backend, state) = begun().await;
        site.server.faults().plan("PUT", KEY, fault, 2);
        let newer = advance(&*backend, &state).await;
        let newer = newer.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(newer.revision, 2);
        expect(&*site.open(), &newer).await.unwrap();
    }
}

#[tokio::test]
async fn a_write_of_which_nothing_can_be_learnt_is_unknown() {
    for (write, read) in [
        (Fault::DoAndHang, Some(Fault::Hang)),
        (Fault::DoAndClose, Some(Fault::Refuse(500, "InternalError"))),
        // It may still be on its way, although the old record is there.
        (Fault::Hang, None),
    ] {
        let (site, backend, state) = begun().await;
        site.server.faults().plan("PUT", KEY, write, usize::MAX);
        if let Some(read) = read {
            site.server.faults().plan("GET", KEY, read, usize::MAX);
        }
        let error = advance(&*backend, &state).await.unwrap_err();
        assert!(
            matches!(error, BackendError::Unknown { .. }),
            "{write:?}: {error:?}"
        );
        site.server.faults().clear();
        let present = backend.load().await.unwrap().unwrap();
        advance(&*backend, &present).await.unwrap();
    }
}

#[tokio::test]
async fn a_lost_write_that_somebody_has_overwritten_is_unknown_and_one_that_came_too_late_is_a_conflict()
 {
    // Ours is stored, and another's after it, before we can look.
    let (site, backend, state) = begun().await;
    site.server.faults().plan("PUT", KEY, Fault::DoAndHang, 1);
    let ours = after(&state);
    let (other, late) = (
        site.open(),
        backend.compare_and_set(Some(state.version()), &ours),
    );
    let overwrite = async {
        loop {
            match other.load().await.unwrap() {
                Some(present) if present == ours => return advance(&*other, &present).await,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    let (late, theirs) = tokio::join!(late, overwrite);
    theirs.unwrap();
    assert!(
        matches!(late, Err(BackendError::Unknown { .. })),
        "{late:?}"
    );

    // Ours is not stored; another has the same bytes there when we look.
    let (site, backend, state) = begun().await;
    site.server.faults().plan("PUT", KEY, Fault::Hang, 1);
    let (other, next) = (site.open(), after(&state));
    let late = backend.compare_and_set(Some(state.version()), &next);
    let overtake = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        advance(&*other, &state).await
    };
    let (late, theirs) = tokio::join!(late, overtake);
    let theirs = theirs.unwrap();
    assert_eq!(theirs, next, "the same bytes, and still not ours");
    assert!(
        matches!(&late, Err(BackendError::Conflict(Some(present))) if **present == theirs),
        "{late:?}"
    );
}

#[tokio::test]
async fn a_storm_of_409_is_borne_and_an_endless_one_is_given_up() {
    let busy = Fault::Refuse(409, "ConditionalRequestConflict");
    let (site, _, state) = begun().await;
    let backend = site.open_with("");
    site.server.faults().plan("PUT", KEY, busy, 4);
    let newer = advance(&*backend, &state).await.unwrap();
    assert_eq!(site.server.faults().answers("PUT", 409), 4);

    site.server.faults().plan("PUT", KEY, busy, usize::MAX);
    let error = advance(&*backend, &newer).await.unwrap_err();
    assert!(
        matches!(error, BackendError::Unavailable { .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("other writes at the same time"),
        "{error}"
    );
    site.server.faults().clear();
    expect(&*site.open(), &newer).await.unwrap();
}

#[tokio::test]
async fn a_marker_that_could_not_be_written_is_written_with_the_next_change() {
    let site = Site::new().await;
    let marker = format!("{KEY}.created");
    let refuse = Fault::Refuse(403, "AccessDenied");
    site.server.faults().plan("PUT", &marker, refuse, 1);
    let backend = site.open();
    let state = create(&*backend).await.unwrap();
    let marked = || {
        site.server
            .folder()
            .read(crate::support::BUCKET, &marker)
            .unwrap()
    };
    assert_eq!(marked(), None);
    advance(&*backend, &state).await.unwrap();
    assert!(marked().is_some());
}
