//! A real server as a process of the test's own: on a private port, in a private folder, killed with it.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::backend_suite::{Broken, broken};

/// How long a server may take until it answers.
const START_WITHIN: Duration = Duration::from_secs(30);

/// A running server. It is killed when dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    log: PathBuf,
}

impl Server {
    /// Starts a program, with its output in the file `log`, and waits until `answers` says that it does.
    ///
    /// # Errors
    ///
    /// It is not installed, ends at once, or does not answer in time; with the end of its log.
    pub fn start(
        command: &mut Command,
        log: &Path,
        mut answers: impl FnMut() -> bool,
    ) -> Result<Self, Broken> {
        let program = command.get_program().to_string_lossy().into_owned();
        let output = File::options().create(true).append(true).open(log)?;
        let process = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|error| {
                broken(format!(
                    "{program} cannot be started: {error}; `cargo xtask test` installs what the tests need"
                ))
            })?;
        let mut server = Self {
            process,
            log: log.to_owned(),
        };
        let began = Instant::now();
        while !answers() {
            let ended = server.process.try_wait()?;
            if ended.is_some() || began.elapsed() > START_WITHIN {
                let what = ended.map_or("does not answer".to_owned(), |status| status.to_string());
                return Err(broken(format!(
                    "{program}: {what}\n{}",
                    server.last_words()
                )));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Kills it (SIGKILL), as a crash would, and waits for its end.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn kill(mut self) -> Result<(), Broken> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Sends it a signal by name, `STOP` or `CONT` for instance.
    ///
    /// # Errors
    ///
    /// The signal cannot be sent.
    pub fn signal(&self, name: &str) -> Result<(), Broken> {
        let id = self.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status()?;
        if sent.success() {
            Ok(())
        } else {
            Err(broken(format!("kill -{name} {id}: {sent}")))
        }
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `kill` there is nothing left to end, and neither call does harm.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port of this machine that was free a moment ago.
///
/// # Errors
///
/// No port is free.
pub fn free_port() -> Result<u16, Broken> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
