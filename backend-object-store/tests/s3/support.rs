//! Backends of servers, and what the tests ask of both.

use std::sync::Arc;

use maintenance_mode::backend::{BackendError, StateBackend};
use maintenance_mode_conformance::object_server::{ObjectServer, WRITER, variables};
use maintenance_mode_object_store::{ObjectStoreBackend, open_with};
use tempfile::TempDir;

pub(crate) const BUCKET: &str = "operations";
pub(crate) const KEY: &str = "shop/state";

/// The URL of the record at this endpoint.
pub(crate) fn url(endpoint: &str, more: &str) -> String {
    format!("s3://{BUCKET}/{KEY}?endpoint={endpoint}&allow_http=true{more}")
}

/// A backend with the credentials of `access_key`.
pub(crate) fn backend_as(access_key: &str, url: &str) -> Result<ObjectStoreBackend, BackendError> {
    open_with(&url.parse()?, variables(access_key))
}

/// A server within this process, whose faults can be planned.
pub(crate) struct Site {
    pub(crate) server: ObjectServer,
    _root: TempDir,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(BUCKET)).unwrap();
        Self {
            server: ObjectServer::start(root.path()).await.unwrap(),
            _root: root,
        }
    }

    /// A handle whose calls may take a second.
    pub(crate) fn open(&self) -> Arc<dyn StateBackend> {
        self.open_with("&timeout=1")
    }

    /// A handle with more parameters.
    pub(crate) fn open_with(&self, more: &str) -> Arc<dyn StateBackend> {
        let url = url(&self.server.endpoint(), more);
        Arc::new(backend_as(WRITER, &url).unwrap())
    }
}
