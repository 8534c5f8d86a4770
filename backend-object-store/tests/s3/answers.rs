//! What the store answers, and what an operator is told.

use std::time::{Duration, Instant};

use maintenance_mode::backend::{BackendError, StateBackend};
use maintenance_mode::state::codec::MAX_RECORD_BYTES;
use maintenance_mode_conformance::backend_suite::records::{advance, create, expect, first};
use maintenance_mode_conformance::object_server::{Fault, READER, Stored, WRITER};
use maintenance_mode_conformance::server::free_port;

use crate::support::{BUCKET, KEY, Site, backend_as, url};

/// The error of reading, in words.
async fn complaint(backend: &dyn StateBackend) -> String {
    let error = backend.load().await.unwrap_err();
    assert!(
        matches!(error, BackendError::Unavailable { .. }),
        "{error:?}"
    );
    error.to_string()
}

#[tokio::test]
async fn each_refusal_is_named_with_its_cure() {
    let site = Site::new().await;
    let endpoint = site.server.endpoint();
    let good = url(&endpoint, "");
    for (key, url, says) in [
        (
            WRITER,
            good.replace(BUCKET, "nowhere"),
            "the bucket does not exist",
        ),
        ("STRANGER", good.clone(), "the credentials are not accepted"),
        (
            WRITER,
            format!("{good}&region=us-west-2"),
            "write `region=eu-test-1`",
        ),
    ] {
        let said = complaint(&backend_as(key, &url).unwrap()).await;
        assert!(said.contains(says), "{said}");
        assert!(!said.contains("open-sesame"), "{said}");
    }
    for (fault, says) in [
        (Fault::Refuse(403, "AccessDenied"), "s3:ListBucket"),
        (
            Fault::Refuse(403, "RequestTimeTooSkewed"),
            "clock is wrong, the store's says ",
        ),
        (
            Fault::Refuse(301, "PermanentRedirect"),
            "correct `region` and `endpoint`",
        ),
        (Fault::Refuse(307, ""), "correct `region` and `endpoint`"),
        (Fault::Refuse(404, ""), "this is no object store's answer"),
        (Fault::Refuse(503, "SlowDown"), "too busy"),
        (Fault::Refuse(500, "InternalError"), "InternalError"),
        (Fault::Close, "connection was lost"),
        (Fault::Hang, "no whole answer within 1 s"),
    ] {
        site.server.faults().plan("GET", KEY, fault, usize::MAX);
        let said = complaint(&*site.open()).await;
        assert!(said.contains(says), "{fault:?}: {said}");
        site.server.faults().clear();
    }
    assert_eq!(site.open().load().await.unwrap(), None);
}

#[tokio::test]
async fn nobody_there_is_told_at_once_and_a_hanging_store_in_time() {
    let port = free_port().unwrap();
    let nobody = backend_as(
        WRITER,
        &url(&format!("http://127.0.0.1:{port}"), "&timeout=1"),
    );
    let nobody = nobody.unwrap();
    let said = complaint(&nobody).await;
    assert!(
        said.contains("cannot be reached") && said.contains("refused"),
        "{said}"
    );
    let error = create(&nobody).await.unwrap_err();
    assert!(
        matches!(error, BackendError::Unavailable { .. }),
        "{error:?}"
    );

    let site = Site::new().await;
    site.server
        .faults()
        .plan("GET", KEY, Fault::Hang, usize::MAX);
    let began = Instant::now();
    complaint(&*site.open()).await;
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_reader_may_follow_and_not_write() {
    let site = Site::new().await;
    let state = create(&*site.open()).await.unwrap();
    let reader = backend_as(READER, &url(&site.server.endpoint(), "")).unwrap();
    expect(&reader, &state).await.unwrap();
    let error = advance(&reader, &state).await.unwrap_err();
    assert!(
        matches!(error, BackendError::Unavailable { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("access is denied"), "{error}");
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let site = Site::new().await;
    let state = create(&*site.open()).await.unwrap();
    let follower = site.open();
    for _ in 0..5 {
        expect(&*follower, &state).await.unwrap();
    }
    assert_eq!(site.server.faults().answers("GET", 304), 4);
    let newer = advance(&*site.open(), &state).await.unwrap();
    expect(&*follower, &newer).await.unwrap();
    assert_eq!(site.server.faults().answers("GET", 304), 4);
}

#[tokio::test]
async fn a_passing_fault_is_not_noticed_by_a_reader() {
    let site = Site::new().await;
    let state = create(&*site.open()).await.unwrap();
    for fault in [
        Fault::Refuse(503, "SlowDown"),
        Fault::Refuse(500, "InternalError"),
        Fault::Close,
        Fault::Truncate,
    ] {
        site.server.faults().plan("GET", KEY, fault, 1);
        expect(&*site.open(), &state).await.unwrap();
    }
}

#[tokio::test]
async fn half_a_record_is_never_a_record() {
    let site = Site::new().await;
    create(&*site.open()).await.unwrap();
    site.server
        .faults()
        .plan("GET", KEY, Fault::Truncate, usize::MAX);
    let said = complaint(&*site.open()).await;
    assert!(said.contains("the answer was cut off"), "{said}");
    site.server.faults().clear();

    let folder = site.server.folder();
    let mut object = folder.read(BUCKET, KEY).unwrap().unwrap();
    for (bytes, says) in [
        (object.bytes[..object.bytes.len() / 2].to_vec(), "cut off"),
        (Vec::new(), "empty"),
        (b"<html>".to_vec(), "not a maintenance record"),
        (vec![b'x'; MAX_RECORD_BYTES + 1], "larger than any record"),
    ] {
        object = Stored { bytes, ..object };
        folder.write(BUCKET, KEY, &object).unwrap();
        let error = site.open().load().await.unwrap_err();
        assert!(
            matches!(error, BackendError::Unreadable { .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(says), "{error}");
        let said = site.open().repair(&first()).await.unwrap().unwrap();
        let kept = said.rsplit(' ').next().unwrap();
        assert_eq!(
            folder.read(BUCKET, kept).unwrap().unwrap().bytes,
            object.bytes
        );
    }
}

#[tokio::test]
async fn no_secret_is_shown() {
    let site = Site::new().await;
    let backend = backend_as(WRITER, &url(&site.server.endpoint(), "")).unwrap();
    let shown = format!("{backend:?} {}", backend.describe());
    assert!(shown.contains("s3://operations/shop/state"), "{shown}");
    assert!(
        !shown.contains("open-sesame") && !shown.contains(WRITER),
        "{shown}"
    );
}
