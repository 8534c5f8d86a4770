//! Database servers for tests: on private ports, with their data in a folder of the test's own.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::backend_suite::{Broken, broken};
use crate::server::{Server, free_port};

/// Servers refuse to run as root: then `nobody` runs them.
const NOBODY: u32 = 65_534;

/// Everybody's password.
pub const PASSWORD: &str = "s3cr3t";

/// A folder that the server's user owns.
fn folder() -> Result<(TempDir, PathBuf), Broken> {
    let outer = tempfile::tempdir()?;
    fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o755))?;
    let inner = outer.path().join("data");
    fs::create_dir(&inner)?;
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o700))?;
    if is_root() {
        chown(&inner, Some(NOBODY), Some(NOBODY))?;
    }
    Ok((outer, inner))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The program as a user who is not root.
#[must_use]
pub fn unprivileged(program: impl AsRef<Path>) -> Command {
    if !is_root() {
        return Command::new(program.as_ref());
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program.as_ref())
        .current_dir("/");
    command
}

fn succeed(command: &mut Command) -> Result<(), Broken> {
    let output = command.output().map_err(|error| {
        broken(format!(
            "{command:?}: {error}; `cargo xtask test` installs what the tests need"
        ))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(broken(format!("{command:?}: {said}")))
}

/// Debian keeps the programs of each version of PostgreSQL in a folder of their own.
fn postgres_program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql");
    let mut folders: Vec<PathBuf> = versions
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    let newest = folders.into_iter().rev().map(|folder| folder.join(name));
    newest
        .into_iter()
        .find(|program| program.exists())
        .unwrap_or_else(|| PathBuf::from(name))
}

/// A server that can be killed and started again.
#[derive(Debug)]
struct Life {
    server: Mutex<Option<Server>>,
    port: u16,
}

impl Life {
    fn new() -> Result<Self, Broken> {
        Ok(Self {
            server: Mutex::new(None),
            port: free_port()?,
        })
    }

    fn running(&self) -> MutexGuard<'_, Option<Server>> {
        // It is put there and taken out in one step each.
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kill(&self) -> Result<(), Broken> {
        let server = self.running().take();
        server.ok_or_else(|| broken("it does not run"))?.kill()
    }

    /// Starts it; after a kill its old processes may be in the way for a moment.
    fn start(&self, start: impl Fn() -> Result<Server, Broken>) -> Result<(), Broken> {
        let began = Instant::now();
        loop {
            match start() {
                Ok(server) => {
                    *self.running() = Some(server);
                    return Ok(());
                }
                Err(error) if began.elapsed() > Duration::from_secs(20) => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }
}

/// PostgreSQL, with the superuser `postgres` and a password for everybody.
#[derive(Debug)]
pub struct Postgres {
    life: Life,
    folder: TempDir,
    data: PathBuf,
}

impl Postgres {
    /// Makes its data and starts it.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not start.
    pub fn new() -> Result<Self, Broken> {
        let (folder, data) = folder()?;
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        succeed(
            unprivileged(postgres_program("initdb"))
                .arg("-D")
                .arg(&data)
                .args(["-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"])
                // SCRAM costs its client so much in a program that is not optimized that crowds come too late.
                .args(["--auth=md5", "--pwfile"])
                .arg(&password),
        )?;
        let server = Self {
            life: Life::new()?,
            folder,
            data,
        };
        server.start()?;
        Ok(server)
    }

    /// The port on which it answers, on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.life.port
    }

    /// A folder that the server's user may read.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The URL of the database `postgres` for this user.
    #[must_use]
    pub fn url(&self, user: &str) -> String {
        let port = self.life.port;
        format!("postgres://{user}:{PASSWORD}@127.0.0.1:{port}/postgres")
    }

    /// Kills it, as a crash would.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn kill(&self) -> Result<(), Broken> {
        self.life.kill()
    }

    /// Starts it again, with its data.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn start(&self) -> Result<(), Broken> {
        self.life.start(|| {
            let port = self.life.port.to_string();
            Server::start(
                unprivileged(postgres_program("postgres"))
                    .arg("-D")
                    .arg(&self.data)
                    .args(["-p", &port, "-c", "listen_addresses=127.0.0.1"])
                    .args(["-c", "unix_socket_directories=", "-c", "fsync=off"])
                    .args(["-c", "max_connections=300"]),
                &self.folder.path().join("log"),
                || {
                    let mut ready = Command::new(postgres_program("pg_isready"));
                    ready.args(["-q", "-h", "127.0.0.1", "-p", &port]);
                    ready.status().is_ok_and(|status| status.success())
                },
            )
        })
    }

    /// Kills it and starts it again as a standby that waits for a primary, and answers readers meanwhile.
    ///
    /// # Errors
    ///
    /// It does not run, or does not start again.
    pub fn become_standby(&self) -> Result<(), Broken> {
        self.kill()?;
        fs::write(self.data.join("standby.signal"), "")?;
        self.start()
    }

    /// Sets who may come in how (`pg_hba.conf`) and makes the server read it.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn admits(&self, rules: &str) -> Result<(), Broken> {
        fs::write(self.data.join("pg_hba.conf"), rules)?;
        self.life
            .running()
            .as_ref()
            .ok_or_else(|| broken("it does not run"))?
            .signal("HUP")
    }
}

/// MariaDB, with the user `site` who may do everything in the database `site`.
#[derive(Debug)]
pub struct MariaDb {
    life: Life,
    folder: TempDir,
    data: PathBuf,
}

impl MariaDb {
    /// Makes its data and starts it.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not start.
    pub fn new() -> Result<Self, Broken> {
        let (folder, data) = folder()?;
        succeed(
            unprivileged("mariadb-install-db")
                .args([
                    "--no-defaults",
                    "--skip-test-db",
                    "--auth-root-authentication-method=normal",
                ])
                .arg(format!("--datadir={}", data.display()))
                .env("TMPDIR", &data),
        )?;
        fs::write(
            folder.path().join("init.sql"),
            format!(
                "CREATE DATABASE IF NOT EXISTS site;\n\
                 CREATE USER IF NOT EXISTS 'site'@'%' IDENTIFIED BY '{PASSWORD}';\n\
                 GRANT ALL ON site.* TO 'site'@'%' WITH GRANT OPTION;\n\
                 GRANT CREATE USER ON *.* TO 'site'@'%';\n"
            ),
        )?;
        let server = Self {
            life: Life::new()?,
            folder,
            data,
        };
        server.start()?;
        Ok(server)
    }

    /// The port on which it answers, on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.life.port
    }

    /// The URL of the database `site`.
    #[must_use]
    pub fn url(&self) -> String {
        let port = self.life.port;
        format!("mysql://site:{PASSWORD}@127.0.0.1:{port}/site")
    }

    /// Kills it, as a crash would.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn kill(&self) -> Result<(), Broken> {
        self.life.kill()
    }

    /// Starts it again, with its data.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn start(&self) -> Result<(), Broken> {
        self.life.start(|| {
            let port = self.life.port;
            let (data, outer) = (self.data.display(), self.folder.path().display());
            Server::start(
                unprivileged("mariadbd")
                    .args(["--no-defaults", "--bind-address=127.0.0.1"])
                    .args([
                        "--innodb-flush-log-at-trx-commit=2",
                        "--max-connections=300",
                    ])
                    .env("TMPDIR", &self.data)
                    .arg(format!("--datadir={data}"))
                    .arg(format!("--port={port}"))
                    .arg(format!("--socket={data}/socket"))
                    .arg(format!("--init-file={outer}/init.sql")),
                &self.folder.path().join("log"),
                || TcpStream::connect(("127.0.0.1", port)).is_ok(),
            )
        })
    }
}
