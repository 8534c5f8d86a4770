//! A real server of a test's own.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use maintenance_mode::SiteName;
use maintenance_mode::backend::{BackendUrl, StateBackend};
use maintenance_mode::presence::{Holder, Lease, LeaseKey, LeaseKind};
use maintenance_mode_conformance::backend_suite::{Broken, broken};
use maintenance_mode_conformance::server::{Server, free_port};
use tempfile::TempDir;

/// A server that keeps what it says it has stored, on a port that stays its own.
pub(crate) struct Redis {
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    server: Mutex<Option<Server>>,
}

impl Redis {
    /// With more settings, as on the command line of `redis-server`.
    pub(crate) fn start(settings: &[&str]) -> Result<Self, Broken> {
        let redis = Self {
            folder: tempfile::tempdir()?,
            port: free_port()?,
            settings: settings.iter().map(|&text| text.to_owned()).collect(),
            server: Mutex::new(None),
        };
        redis.start_again()?;
        Ok(redis)
    }

    pub(crate) fn start_again(&self) -> Result<(), Broken> {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &port, "--bind", "127.0.0.1", "--dir"])
            .arg(self.folder.path())
            .args(["--save", "", "--appendonly", "yes"])
            .args(&self.settings);
        let server = Server::start(&mut command, &self.folder.path().join("log"), || {
            self.answers()
        })?;
        *self.server() = Some(server);
        Ok(())
    }

    /// As a crash would end it.
    pub(crate) fn kill(&self) -> Result<(), Broken> {
        let server = self.server().take();
        server.ok_or_else(|| broken("it is dead already"))?.kill()
    }

    /// `STOP`, `CONT`.
    pub(crate) fn signal(&self, name: &str) -> Result<(), Broken> {
        match &*self.server() {
            Some(server) => server.signal(name),
            None => Err(broken("it is dead")),
        }
    }

    /// Whether it is up and has read its data; a refusal is an answer too.
    fn answers(&self) -> bool {
        if TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            return false;
        }
        match self.command(&["PING"]) {
            Ok(_) => true,
            Err(error) => !error.0.contains("LOADING") && !error.0.contains("loading"),
        }
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self, query: &str) -> String {
        format!("redis://127.0.0.1:{}/0{query}", self.port)
    }

    pub(crate) fn command(&self, words: &[&str]) -> Result<redis::Value, Broken> {
        ask(self.port, words)
    }

    /// As another instance would have it.
    pub(crate) fn open(&self, query: &str) -> Result<Arc<dyn StateBackend>, Broken> {
        open(&self.url(query))
    }
}

/// Asks a server, as its operator would.
pub(crate) fn ask(port: u16, words: &[&str]) -> Result<redis::Value, Broken> {
    let said = |error: redis::RedisError| broken(error.to_string());
    let client = redis::Client::open(("127.0.0.1", port)).map_err(said)?;
    let mut connection = client.get_connection().map_err(said)?;
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query(&mut connection).map_err(said)
}

pub(crate) fn open(url: &str) -> Result<Arc<dyn StateBackend>, Broken> {
    let url: BackendUrl = url
        .parse()
        .map_err(|error| broken(format!("{url}: {error}")))?;
    Ok(maintenance_mode_redis::open(&url, Path::new("/"))?)
}

/// A visitor's session that lasts a minute.
pub(crate) fn session(name: &str, note: Option<&str>) -> Lease {
    let key = LeaseKey {
        kind: LeaseKind::Session,
        site: SiteName::default(),
        name: name.parse().unwrap(),
    };
    let lease = Lease::new(key, Holder::EVERYBODY, Duration::from_secs(60)).unwrap();
    lease.with_note(note.unwrap_or_default()).unwrap()
}
