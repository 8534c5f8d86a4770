//! The command: started, told what this program is told, and waited for.

use std::io;
use std::process::ExitStatus;

use maintenance_mode::SiteName;
use maintenance_mode::state::ActivationId;
use tokio::process::{Child, Command};

use crate::arguments::RunArguments;
use crate::exit::{Exit, Failure};

/// A shell's codes for a command that is not there, and for one that cannot be run.
const NOT_FOUND: u8 = 127;
const CANNOT_RUN: u8 = 126;
/// A shell adds the number of the signal that ended a command to this.
const BY_SIGNAL: u8 = 128;

/// How the command ended.
#[derive(Debug)]
pub(super) struct Ended {
    code: u8,
    /// Why it could not be run or waited for.
    pub(super) trouble: Option<String>,
}

impl Ended {
    pub(super) const fn succeeded(&self) -> bool {
        self.code == 0
    }

    pub(super) const fn exit(&self) -> Exit {
        Exit::OfCommand(self.code)
    }

    fn of(status: ExitStatus) -> Self {
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Self {
            code: code.unwrap_or_else(|| after_signal(status)),
            trouble: None,
        }
    }

    fn not_run(program: &str, error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::NotFound => NOT_FOUND,
            _ => CANNOT_RUN,
        };
        Self {
            code,
            trouble: Some(format!("{program} cannot be run: {error}")),
        }
    }
}

#[cfg(unix)]
fn after_signal(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let signal = status.signal().and_then(|signal| u8::try_from(signal).ok());
    BY_SIGNAL.saturating_add(signal.unwrap_or_default())
}

#[cfg(not(unix))]
fn after_signal(_: ExitStatus) -> u8 {
    BY_SIGNAL
}

/// Runs the command to its end.
pub(super) async fn run(
    arguments: &RunArguments,
    sites: &[(SiteName, ActivationId)],
    signals: &mut Signals,
) -> Ended {
    let Some((program, more)) = arguments.command.split_first() else {
        return Ended::not_run("nothing", &io::ErrorKind::NotFound.into());
    };
    let mut command = Command::new(program);
    command.args(more);
    if let Some((_, id)) = sites.first() {
        command.env("MAINTENANCE_ACTIVATION", id.to_string());
    }
    let name = program.to_string_lossy();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ended::not_run(&name, &error),
    };
    loop {
        tokio::select! {
            ended = child.wait() => {
                return ended.map_or_else(|error| Ended::not_run(&name, &error), Ended::of);
            }
            signal = signals.next() => pass_on(&child, signal),
        }
    }
}

/// Ctrl-C reaches the command by the terminal, which sends it to both.
#[cfg(unix)]
fn pass_on(child: &Child, signal: Told) {
    use std::io::IsTerminal as _;
    let by_terminal = signal == Told::Interrupt && io::stdin().is_terminal();
    let id = child
        .id()
        .and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(id) = id.filter(|_| !by_terminal) {
        // It may have ended a moment ago.
        let _ = rustix::process::kill_process(id, signal.number());
    }
}

#[cfg(not(unix))]
fn pass_on(_: &Child, _: Told) {}

/// What this program was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Interrupt,
    #[cfg(unix)]
    Terminate,
    #[cfg(unix)]
    HangUp,
}

impl Told {
    #[cfg(unix)]
    const fn number(self) -> rustix::process::Signal {
        match self {
            Self::Interrupt => rustix::process::Signal::INT,
            Self::Terminate => rustix::process::Signal::TERM,
            Self::HangUp => rustix::process::Signal::HUP,
        }
    }

    /// What a shell would say of a program that it has ended.
    const fn code(self) -> u8 {
        BY_SIGNAL
            + match self {
                #[cfg(unix)]
                Self::HangUp => 1,
                Self::Interrupt => 2,
                #[cfg(unix)]
                Self::Terminate => 15,
            }
    }
}

impl Failure {
    /// Somebody ended this program.
    pub(super) fn interrupted(by: Told) -> Self {
        Self {
            exit: Exit::OfCommand(by.code()),
            message: "interrupted".to_owned(),
        }
    }
}

/// Signals, which end this program no longer.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::failed(format!("signals cannot be heard: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.interrupt.recv() => Told::Interrupt,
            _ = self.terminate.recv() => Told::Terminate,
            _ = self.hang_up.recv() => Told::HangUp,
        }
    }
}

/// Signals, which end this program no longer.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[allow(clippy::unnecessary_wraps, reason = "the same form as on unix")]
    pub(super) const fn new() -> Result<Self, Failure> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) -> Told {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Told::Interrupt
    }
}
