//! A real server of the test's own.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use maintenance_mode::backend::StateBackend;
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::server::{Server, free_port};
use tempfile::TempDir;

/// `nats-server` with JetStream, on a private port and in a private folder.
pub(crate) struct Nats {
    folder: TempDir,
    port: u16,
    server: Mutex<Option<Server>>,
}

impl Nats {
    /// With JetStream, open to everybody.
    pub(crate) fn new() -> Self {
        Self::configured("")
    }

    /// With JetStream and these lines in its configuration.
    pub(crate) fn configured(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let jetstream = format!("jetstream {{ store_dir: {store:?} }}\n");
        Self::exactly(folder, &format!("{jetstream}{more}"))
    }

    /// With these lines alone.
    pub(crate) fn bare(lines: &str) -> Self {
        Self::exactly(tempfile::tempdir().unwrap(), lines)
    }

    /// With these lines, and what they name in this folder.
    pub(crate) fn exactly(folder: TempDir, lines: &str) -> Self {
        let port = free_port().unwrap();
        let config = format!("listen: \"127.0.0.1:{port}\"\n{lines}");
        fs::write(folder.path().join("nats.conf"), config).unwrap();
        let nats = Self {
            folder,
            port,
            server: Mutex::default(),
        };
        nats.start();
        nats
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn start(&self) {
        let mut command = Command::new("nats-server");
        command.arg("-c").arg(self.path("nats.conf"));
        let port = self.port;
        let answers = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        let server = Server::start(&mut command, &self.path("log"), answers).unwrap();
        *self.server.lock().unwrap() = Some(server);
    }

    pub(crate) fn kill(&self) {
        self.server.lock().unwrap().take().unwrap().kill().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        self.server
            .lock()
            .unwrap()
            .as_ref()
            .unwrap()
            .signal(name)
            .unwrap();
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `nats://127.0.0.1:PORT?…`.
    pub(crate) fn url(&self, parameters: &str) -> String {
        format!("nats://127.0.0.1:{}?{parameters}", self.port)
    }

    pub(crate) fn open(&self, parameters: &str) -> Arc<dyn StateBackend> {
        self.open_url(&self.url(parameters)).unwrap()
    }

    pub(crate) fn open_url(&self, url: &str) -> Result<Arc<dyn StateBackend>, Broken> {
        let url = url.parse().unwrap();
        Ok(maintenance_mode_nats::open(&url, self.folder())?)
    }

    /// A client that goes behind the backend's back.
    pub(crate) async fn client(&self) -> async_nats::Client {
        async_nats::connect(format!("nats://127.0.0.1:{}", self.port))
            .await
            .unwrap()
    }
}
