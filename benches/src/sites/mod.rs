//! The same small site on every framework, three times: plain, closed by hand, closed by this project.

mod actix;
mod axum;
mod counted;
mod poem;
mod rocket;
mod tower;
mod warp;

use maintenance_mode::{Config, Maintenance, Mode};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::Trouble;
use crate::scenarios::Runner;

/// How a site is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It cannot be.
    Plain,
    /// It cannot be either; its requests are counted until their bodies end.
    Counted,
    /// By the switch that people write by hand: a flag and a fixed body.
    TenLiner,
    /// By this project.
    Ours,
}

/// A site in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// How it is closed.
    pub kind: Kind,
    /// Whether it is.
    pub closed: bool,
}

/// A framework, and where in it the switch sits.
#[derive(Clone, Copy, Debug)]
pub struct Framework {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Requests in this process: no socket, no parsing. The response's body is read to its end.
    pub prepare: fn(Variant) -> Result<Runner, Trouble>,
    /// Serves on a free port with one worker, says `listening ADDRESS`, and ends when standard input ends.
    pub serve: fn(Variant) -> Result<(), Trouble>,
}

/// All of them.
pub const FRAMEWORKS: &[Framework] = &[
    actix::FRAMEWORK,
    axum::OUTERMOST,
    axum::ROUTER_LAYER,
    poem::FRAMEWORK,
    rocket::FRAMEWORK,
    warp::FRAMEWORK,
];

/// Every variant.
pub const VARIANTS: [Variant; 6] = [
    Variant::new(Kind::Plain, false),
    Variant::new(Kind::Counted, false),
    Variant::new(Kind::TenLiner, false),
    Variant::new(Kind::TenLiner, true),
    Variant::new(Kind::Ours, false),
    Variant::new(Kind::Ours, true),
];

const HELLO: &str = "Hello, world!";
/// What a ten-liner says.
const BACK_SOON: &str = "Back soon.";
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

impl Variant {
    const fn new(kind: Kind, closed: bool) -> Self {
        Self { kind, closed }
    }

    /// The variant of this name, `plain`, `counted`, `ten-liner` or `ours`, `open` or `closed`.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn find(kind: &str, state: &str) -> Result<Self, Trouble> {
        let name = match (kind, state) {
            (kind, "open") => format!("{kind}/online"),
            (kind, _) => format!("{kind}/offline"),
        };
        let name = match kind {
            "plain" | "counted" => kind,
            _ => &name,
        };
        VARIANTS
            .into_iter()
            .find(|variant| variant.name() == name)
            .ok_or_else(|| format!("`{kind} {state}` is not a site").into())
    }

    /// What it is called in a scenario.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match (self.kind, self.closed) {
            (Kind::Plain, _) => "plain",
            (Kind::Counted, _) => "counted",
            (Kind::TenLiner, false) => "ten-liner/online",
            (Kind::TenLiner, true) => "ten-liner/offline",
            (Kind::Ours, false) => "ours/online",
            (Kind::Ours, true) => "ours/offline",
        }
    }

    /// What it answers.
    #[must_use]
    pub const fn status(self) -> u16 {
        if self.closed { 503 } else { 200 }
    }
}

/// A live switch that stays as it is, with its folder.
#[derive(Debug)]
struct Switch {
    maintenance: Maintenance,
    _folder: Option<TempDir>,
}

impl Switch {
    /// In memory, for scenarios.
    async fn in_memory(closed: bool) -> Result<Self, Trouble> {
        Ok(Self {
            maintenance: start("memory:", closed).await?,
            _folder: None,
        })
    }

    /// On the file backend, as it is used.
    async fn on_file(closed: bool) -> Result<Self, Trouble> {
        let folder = TempDir::new()?;
        let backend = format!("file:{}", folder.path().join("state.json").display());
        Ok(Self {
            maintenance: start(&backend, closed).await?,
            _folder: Some(folder),
        })
    }
}

async fn start(backend: &str, closed: bool) -> Result<Maintenance, Trouble> {
    let mut config = Config::new().backend(backend);
    config.mode = closed.then_some(Mode::Offline);
    Ok(Maintenance::start(config).await?)
}

/// A runtime on this thread alone.
fn runtime() -> Result<Runtime, Trouble> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// Comes back when standard input ends.
async fn input_ended() {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        use std::io::Read as _;
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        // Nobody waits any more if the server has ended by itself.
        let _ = ended.send(());
    });
    let _ = end.await;
}
