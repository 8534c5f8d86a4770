//! Stores that do not honour conditions are never written to.

use std::sync::Arc;

use maintenance_mode::backend::{BackendError, StateBackend};
use maintenance_mode_conformance::backend_suite::records::{create, first};
use maintenance_mode_conformance::object_server::{Condition, Fault};
use maintenance_mode_object_store::ObjectStoreBackend;
use object_store::local::LocalFileSystem;

use crate::support::{BUCKET, KEY, Site};

#[tokio::test]
async fn a_store_that_ignores_conditions_is_refused() {
    for (ignored, says) in [
        (Condition::IfMatch, "ignores `If-Match`"),
        (Condition::IfNoneMatch, "ignores `If-None-Match: *`"),
        (Condition::Metadata, "does not keep an object's metadata"),
    ] {
        let site = Site::new().await;
        site.server.faults().ignore(ignored);
        let backend = site.open();
        for error in [
            backend.compare_and_set(None, &first()).await.unwrap_err(),
            backend.repair(&first()).await.unwrap_err(),
        ] {
            assert!(matches!(error, BackendError::Unsafe { .. }), "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
        assert_eq!(site.server.folder().read(BUCKET, KEY).unwrap(), None);
        assert_eq!(
            backend.load().await.unwrap(),
            None,
            "reading needs no conditions"
        );
    }
}

#[tokio::test]
async fn a_store_that_does_not_know_conditions_is_refused() {
    let site = Site::new().await;
    let refuse = Fault::Refuse(501, "NotImplemented");
    site.server.faults().plan("PUT", "", refuse, usize::MAX);
    let error = create(&*site.open()).await.unwrap_err();
    assert!(matches!(error, BackendError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("honours conditions"), "{error}");
}

#[tokio::test]
async fn the_probe_is_written_once_and_stays_quiet_afterwards() {
    let site = Site::new().await;
    create(&*site.open()).await.unwrap();
    let written = |site: &Site| site.server.faults().answers("PUT", 200);
    assert_eq!(written(&site), 3, "probe, record, marker");
    let mut keys = site.server.folder().keys(BUCKET).unwrap();
    keys.sort();
    assert_eq!(
        keys,
        ["shop/state", "shop/state.created", "shop/state.probe"]
    );
    assert!(create(&*site.open()).await.is_err());
    assert_eq!(written(&site), 3);
}

#[tokio::test]
async fn a_local_folder_cannot_update_under_a_condition() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let backend = ObjectStoreBackend::new(Arc::new(store), "state", "a folder");
    let error = create(&backend).await.unwrap_err().to_string();
    assert!(
        error.contains("write under a condition is needed"),
        "{error}"
    );
    assert_eq!(backend.load().await.unwrap(), None);
}
