//! Processes and file systems of a test's own, for what several processes do to files.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

/// A user who owns nothing: `nobody` on most systems.
pub const STRANGER: u32 = 65_534;

/// A process of the helper binary, ended with its handle.
#[derive(Debug)]
pub struct Process {
    /// The process itself.
    pub child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// Starts it.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let lines = out.lines().map_while(Result::ok);
            lines
                .take_while(|line| sender.send(line.clone()).is_ok())
                .count()
        });
        Self { child, lines }
    }

    /// The next line that it says, within ten seconds.
    #[must_use]
    pub fn line(&self) -> String {
        self.lines
            .recv_timeout(Duration::from_secs(10))
            .expect("the process says nothing")
    }

    /// What it says last, and whether it succeeded.
    #[must_use]
    pub fn end(mut self) -> (String, bool) {
        let last = self.lines.iter().last().unwrap_or_default();
        (last, self.child.wait().unwrap().success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same pauses in every run.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number, from zero up to this limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A small file system of its own, if this machine lets us mount one.
#[derive(Debug)]
pub struct Mount(TempDir);

impl Mount {
    /// A file system of this size, such as `64k`; `None` if mounting is not allowed.
    #[must_use]
    pub fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=0700"),
                "tmpfs",
            ])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(folder))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Mounts it again with another option.
    pub fn remount(&self, option: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,{option}")])
            .arg(self.0.path())
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Whether this process runs as root.
#[must_use]
pub fn is_root() -> bool {
    // The owner of a file that we have just made.
    let folder = tempfile::tempdir().unwrap();
    fs::metadata(folder.path()).unwrap().uid() == 0
}
