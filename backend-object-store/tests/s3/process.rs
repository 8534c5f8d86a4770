//! The server as a process of its own, which can be killed.
//!
//! A crate's tests can start no binary of another crate, so this test program starts itself: with the variables below it
//! serves, and ends when it is killed.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use maintenance_mode_conformance::backend_suite::{Broken, broken};
use maintenance_mode_conformance::object_server::{Folder, serve_for_ever};
use maintenance_mode_conformance::server::{Server, free_port};
use tempfile::TempDir;

use crate::support::BUCKET;

const FOLDER: &str = "OBJECT_SERVER_FOLDER";
const PORT: &str = "OBJECT_SERVER_PORT";

/// A server process and its data.
pub(crate) struct Process {
    root: TempDir,
    port: u16,
    running: Mutex<Option<Server>>,
}

impl Process {
    pub(crate) fn start() -> Result<Self, Broken> {
        let root = tempfile::tempdir()?;
        std::fs::create_dir_all(data(root.path()).join(BUCKET))?;
        let process = Self {
            root,
            port: free_port()?,
            running: Mutex::default(),
        };
        process.start_again()?;
        Ok(process)
    }

    /// Kills it, as a crash would.
    pub(crate) fn kill(&self) -> Result<(), Broken> {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        running
            .ok_or_else(|| broken("no server is running"))?
            .kill()
    }

    /// Starts it on the same port, with its data.
    pub(crate) fn start_again(&self) -> Result<(), Broken> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([
                "--exact",
                "process::a_server_of_its_own_answers_until_it_is_killed",
            ])
            .arg("--nocapture")
            .env(FOLDER, data(self.root.path()))
            .env(PORT, self.port.to_string());
        let log = self.root.path().join("log");
        let port = self.port;
        let server = Server::start(&mut command, &log, || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(())
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn folder(&self) -> Folder {
        Folder::of_another_process(&data(self.root.path()))
    }
}

fn data(root: &Path) -> PathBuf {
    root.join("data")
}

#[test]
fn a_server_of_its_own_answers_until_it_is_killed() {
    if let (Ok(folder), Ok(port)) = (std::env::var(FOLDER), std::env::var(PORT)) {
        // This is the process that the others talk to.
        panic!(
            "{:?}",
            serve_for_ever(Path::new(&folder), port.parse().unwrap())
        );
    }
    let process = Process::start().unwrap();
    let reached = || TcpStream::connect(("127.0.0.1", process.port)).is_ok();
    assert!(reached());
    process.kill().unwrap();
    assert!(!reached());
    process.start_again().unwrap();
    assert!(reached());
}
