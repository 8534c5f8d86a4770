//! Exit codes: what scripts and monitoring look at.

use std::process::ExitCode;

use maintenance_mode::Mode;
use maintenance_mode::backend::BackendError;
use maintenance_mode::live::ControlError;
use maintenance_mode::policy::Complaints;

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; for `status`, every site is online.
    Done,
    /// Not done.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// `status`: a site is closing.
    Pending,
    /// `status`: a site is closed.
    Offline,
    /// `status`: a site is read-only.
    ReadOnly,
    /// `status`: a site holds requests.
    Paused,
    /// The state cannot be known.
    Unknown,
    /// `run`: what the command, or the signal that ended it, says.
    OfCommand(u8),
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Pending => 10,
            Self::Offline => 11,
            Self::ReadOnly => 12,
            Self::Paused => 13,
            Self::Unknown => 20,
            Self::OfCommand(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

impl From<Mode> for Exit {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Online => Self::Done,
            Mode::ReadOnly => Self::ReadOnly,
            Mode::Pending => Self::Pending,
            Mode::Paused => Self::Paused,
            Mode::Offline => Self::Offline,
        }
    }
}

/// A command that came to nothing: what to say, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    /// Not done.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            message: message.into(),
        }
    }

    /// The command line or the configuration is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.into(),
        }
    }

    /// The state cannot be known.
    pub(crate) fn unknown(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Unknown,
            message: message.into(),
        }
    }

    /// The backend could not be read, so the state is not known.
    pub(crate) fn unread(error: &BackendError) -> Self {
        Self {
            exit: match error {
                BackendError::Url(_) => Exit::Usage,
                _ => Exit::Unknown,
            },
            message: error.to_string(),
        }
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self {
            exit: match error {
                BackendError::Url(_) => Exit::Usage,
                BackendError::Unreadable { .. }
                | BackendError::Vanished { .. }
                | BackendError::Unknown { .. } => Exit::Unknown,
                _ => Exit::Failed,
            },
            message: error.to_string(),
        }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let message = error.to_string();
        let exit = match error {
            ControlError::Backend(error) => return error.into(),
            ControlError::Pinned { .. }
            | ControlError::UnknownSite { .. }
            | ControlError::OnlineIsOff
            | ControlError::EndPassed { .. } => Exit::Usage,
            ControlError::NotReadBack { .. } => Exit::Unknown,
            _ => Exit::Failed,
        };
        Self { exit, message }
    }
}

impl From<Complaints> for Failure {
    /// `error: ` stands before the first already.
    fn from(complaints: Complaints) -> Self {
        let each: Vec<String> = complaints.iter().map(ToString::to_string).collect();
        Self::usage(each.join("\nerror: "))
    }
}
