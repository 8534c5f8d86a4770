//! A sample site as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use maintenance_mode::backend::BackendRegistry;
use maintenance_mode::live::{Author, Control, ControlError};
use maintenance_mode::{Config, Off, On, Policy, SiteName, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{Connection, Http2, Response, request, storm};
use crate::backend_suite::{Broken, broken};

/// How long a change may take to reach the site.
const CHANGE_WITHIN: Duration = Duration::from_secs(10);

/// A running sample site with a folder of its own. It is killed when dropped.
#[derive(Debug)]
pub struct Site {
    process: Child,
    address: SocketAddr,
    switch: Control,
    runtime: Runtime,
    _folder: TempDir,
}

impl Site {
    /// Starts the program on a free port with this configuration, in TOML.
    ///
    /// # Errors
    ///
    /// It does not start, or does not say where it listens.
    pub fn start(program: &Path, config: &str) -> Result<Self, Broken> {
        let folder = TempDir::new()?;
        let file = folder.path().join("maintenance.toml");
        std::fs::write(&file, config)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let switch = runtime.block_on(async { switch(config, folder.path()) })?;
        let mut process = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(&file)
            .env("RUST_LOG", "off")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        match announced_address(&mut process) {
            Ok(address) => Ok(Self {
                process,
                address,
                switch,
                runtime,
                _folder: folder,
            }),
            Err(error) => {
                let _ = process.kill();
                let _ = process.wait();
                Err(error)
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new connection to it.
    ///
    /// # Errors
    ///
    /// It does not listen.
    pub fn connect(&self) -> Result<Connection, Broken> {
        Ok(Connection::open(self.address)?)
    }

    /// A new HTTP/2 connection to it.
    ///
    /// # Errors
    ///
    /// It does not listen.
    pub fn connect_http2(&self) -> Result<Http2, Broken> {
        Http2::open(self.address)
    }

    /// One request on a connection of its own.
    ///
    /// # Errors
    ///
    /// No response came.
    pub fn ask(
        &self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Result<Response, Broken> {
        let mut connection = self.connect()?;
        connection.send(&request(method, target, fields, body))?;
        connection.response(method)
    }

    /// A plain GET on a connection of its own.
    ///
    /// # Errors
    ///
    /// No response came.
    pub fn get(&self, target: &str) -> Result<Response, Broken> {
        self.ask("GET", target, &[], "")
    }

    /// Logs a demo user in and returns the cookie.
    ///
    /// # Errors
    ///
    /// He may not.
    pub fn log_in(&self, user: &str) -> Result<String, Broken> {
        let form = format!("user={user}&password={user}");
        let length = form.len().to_string();
        let fields = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", length.as_str()),
        ];
        let response = self.ask("POST", "/login", &fields, &form)?;
        let cookie = response
            .values("set-cookie")
            .find(|cookie| cookie.starts_with("sessionid="))
            .and_then(|cookie| cookie.split(';').next());
        cookie.map(str::to_owned).ok_or_else(|| {
            let (status, fields) = (response.status, &response.fields);
            broken(format!("{user} cannot log in: {status} {fields:?}"))
        })
    }

    /// Closes the default site by way of the state's file, as the command line would, and waits until the
    /// process shows it.
    ///
    /// # Errors
    ///
    /// The switch was refused, or nothing changed.
    pub fn close(&self, order: &On) -> Result<(), Broken> {
        let sites = [SiteName::default()];
        let author = Author::application();
        let changed = self
            .runtime
            .block_on(self.switch.on(&sites, order, &author, now()))?;
        self.wait_for_revision(changed.version.revision)
    }

    /// Opens the default site again.
    ///
    /// # Errors
    ///
    /// The switch was refused, or nothing changed.
    pub fn open(&self) -> Result<(), Broken> {
        let sites = [SiteName::default()];
        let author = Author::application();
        let order = Off::default();
        let changed = self
            .runtime
            .block_on(self.switch.off(&sites, &order, &author, now()))?;
        self.wait_for_revision(changed.version.revision)
    }

    /// Asks the process to stop, as a service manager does (SIGTERM), and waits for its end.
    ///
    /// # Errors
    ///
    /// The signal cannot be sent.
    pub fn terminate(mut self) -> Result<ExitStatus, Broken> {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status()?;
        if !sent.success() {
            return Err(broken(format!("kill -TERM {id} failed: {sent}")));
        }
        Ok(self.process.wait()?)
    }

    /// Sends this many requests that clients end in every way they can.
    ///
    /// # Errors
    ///
    /// It does not listen.
    pub fn storm(&self, requests: u32) -> Result<(), Broken> {
        self.runtime
            .block_on(storm::unleash(self.address, requests))
    }

    /// What `/maintenance/status` shows.
    ///
    /// # Errors
    ///
    /// It is no JSON.
    pub fn status(&self) -> Result<Value, Broken> {
        let shown = self.get("/maintenance/status")?;
        serde_json::from_slice(&shown.body)
            .map_err(|error| broken(format!("/maintenance/status is no JSON: {error}")))
    }

    /// How often the site has been asked who a visitor is.
    ///
    /// # Errors
    ///
    /// It does not say.
    pub fn lookups(&self) -> Result<u64, Broken> {
        number(&self.status()?["lookups"])
    }

    /// Requests in flight and upgraded connections, without the request that asks.
    ///
    /// # Errors
    ///
    /// It does not say, or does not count the request that asks.
    pub fn in_flight(&self) -> Result<(u64, u64), Broken> {
        let shown = &self.status()?["in_flight"];
        let others = number(&shown["requests"])?
            .checked_sub(1)
            .ok_or_else(|| broken("a running request is not counted"))?;
        Ok((others, number(&shown["upgraded"])?))
    }

    /// Waits until this many requests are in flight, and this many connections upgraded.
    ///
    /// # Errors
    ///
    /// What is counted instead.
    pub fn wait_for_in_flight(&self, expected: (u64, u64), moment: &str) -> Result<(), Broken> {
        let began = Instant::now();
        loop {
            let counted = self.in_flight()?;
            if counted == expected {
                return Ok(());
            }
            if began.elapsed() > CHANGE_WITHIN {
                return Err(broken(format!(
                    "{moment}: waited for {expected:?} requests and upgraded connections, \
                     there are {counted:?}"
                )));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn wait_for_revision(&self, revision: u64) -> Result<(), Broken> {
        let began = Instant::now();
        loop {
            let shown = self.status()?;
            if shown["revision"].as_u64() >= Some(revision) {
                return Ok(());
            }
            if began.elapsed() > CHANGE_WITHIN {
                return Err(broken(format!(
                    "revision {revision} was not applied within {CHANGE_WITHIN:?}; shown: {shown}"
                )));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl From<ControlError> for Broken {
    fn from(error: ControlError) -> Self {
        broken(format!("the switch said: {error}"))
    }
}

/// The switch of a site in this folder, apart from the site's own process.
fn switch(config: &str, folder: &Path) -> Result<Control, Broken> {
    let config = Config::from_toml(config).map_err(|complaints| broken(complaints.to_string()))?;
    let url = config
        .backend_url()
        .parse()
        .map_err(|error| broken(format!("{error}")))?;
    let policy = Policy::builder(config)
        .base(folder)
        .build()
        .map_err(|complaints| broken(complaints.to_string()))?;
    let backend = BackendRegistry::builtin().open(&url, folder)?;
    Ok(Control::new(backend, Arc::new(policy)))
}

fn announced_address(process: &mut Child) -> Result<SocketAddr, Broken> {
    let stdout = process
        .stdout
        .take()
        .ok_or_else(|| broken("the process has no standard output"))?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    line.trim_end()
        .strip_prefix("listening on http://")
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| {
            broken(format!(
                "the process said {line:?} and not where it listens"
            ))
        })
}

fn number(value: &Value) -> Result<u64, Broken> {
    value.as_u64().ok_or_else(|| {
        broken(format!(
            "/maintenance/status shows {value} where a number belongs"
        ))
    })
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}
