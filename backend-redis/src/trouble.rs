//! What a server or the way to it says, told with the cure.

use std::error::Error;

use maintenance_mode::backend::BackendError;
use redis::{ErrorKind, RedisError, ServerError};

/// What became of a call that gave no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The server was never asked.
    Unreached {
        what: String,
        source: Option<RedisError>,
    },
    /// The server was asked, and the answer did not come.
    Lost(String),
    /// The server said no, and did nothing.
    Refused(String),
}

impl Trouble {
    pub(crate) fn unreached(what: impl Into<String>) -> Self {
        Self::Unreached {
            what: what.into(),
            source: None,
        }
    }

    pub(crate) fn connecting(error: RedisError) -> Self {
        Self::Unreached {
            what: about_connecting(&error),
            source: Some(error),
        }
    }

    pub(crate) fn refused(error: &ServerError) -> Self {
        Self::Refused(explain(error.code(), error.details().unwrap_or_default()))
    }

    /// For calls that may be repeated: nothing that matters can have happened.
    pub(crate) fn of_reading(self, place: &str) -> BackendError {
        let (what, source) = match self {
            Self::Unreached { what, source } => (what, source),
            Self::Lost(what) | Self::Refused(what) => (what, None),
        };
        BackendError::Unavailable {
            place: place.to_owned(),
            what,
            source: source.map(|error| Box::new(error) as Box<dyn Error + Send + Sync>),
        }
    }

    /// For calls that change something.
    pub(crate) fn of_writing(self, place: &str) -> BackendError {
        match self {
            Self::Lost(why) => BackendError::Unknown {
                place: place.to_owned(),
                why,
            },
            other => other.of_reading(place),
        }
    }
}

fn about_connecting(error: &RedisError) -> String {
    if error.is_connection_refusal() {
        return "nothing listens there; is the server running, and is its address right?"
            .to_owned();
    }
    if error.kind() == ErrorKind::AuthenticationFailed {
        return WRONG_LOGIN.to_owned();
    }
    if error.kind() == ErrorKind::MasterNameNotFoundBySentinel {
        return "no Sentinel knows a primary of this name; look at `SENTINEL MASTERS`".to_owned();
    }
    match (error.code(), error.detail()) {
        (Some(code), detail) => explain(code, detail.unwrap_or_default()),
        (None, _) => format!("cannot connect: {error}"),
    }
}

const WRONG_LOGIN: &str = "the user name or the password is wrong, or the server has none; write \
     `redis://USER:PASSWORD@HOST`, or `redis://:PASSWORD@HOST` where there are no users";
const NO_LOGIN: &str = "the server asks for a password; write `redis://USER:PASSWORD@HOST`, or `redis://:PASSWORD@HOST`";

/// What the server said, and what to do about it.
fn explain(code: &str, detail: &str) -> String {
    let said = if detail.is_empty() {
        code.to_owned()
    } else {
        format!("{code} {detail}")
    };
    let cure = match code {
        "NOAUTH" => NO_LOGIN,
        "WRONGPASS" => WRONG_LOGIN,
        "NOPERM" => {
            "give this user the rights that the documentation of maintenance-mode-redis lists"
        }
        "READONLY" => {
            "this server is a replica and takes no writes; name the primary, or let Sentinel find it (`sentinel=`)"
        }
        "LOADING" => "the server is still reading its data; try again in a moment",
        "MISCONF" => {
            "the server cannot save its data and so takes no writes; look at its log and its disk"
        }
        "OOM" => "the server's memory is full; raise `maxmemory` or free some",
        "NOREPLICAS" => "the server takes no writes while too few replicas are connected",
        "MASTERDOWN" => "this replica has lost its primary; name the primary",
        "CLUSTERDOWN" => {
            "the cluster is not whole and takes no commands; look at `CLUSTER INFO` on its nodes"
        }
        "MOVED" | "ASK" | "TRYAGAIN" | "CROSSSLOT" => {
            "the cluster is moving this key to another node; try again in a moment"
        }
        "BUSY" => {
            "another client's script holds the server up; try again, or end it with `SCRIPT KILL`"
        }
        "DENIED" => {
            "the server is in protected mode and takes connections from its own machine only; give it a password"
        }
        _ => explain_general(detail),
    };
    if cure.is_empty() {
        format!("the server says `{said}`")
    } else {
        format!("{cure} (the server says `{said}`)")
    }
}

/// What is only told by words.
fn explain_general(detail: &str) -> &'static str {
    let detail = detail.to_ascii_lowercase();
    if detail.contains("authentication required") {
        NO_LOGIN
    } else if detail.contains("db index") || detail.contains("invalid db") {
        "there is no database of this number; write another after the host, such as `redis://HOST/0`"
    } else if detail.contains("select is not allowed in cluster") {
        "a cluster has only the database 0; leave the number out"
    } else if detail.contains("max number of clients") {
        "the server has no room for another connection; raise `maxclients` or close some"
    } else if detail.contains("unknown command") || detail.contains("unknown redis command") {
        "the server lacks a command; Redis 7 or Valkey is needed, with Lua scripts"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_refusal_has_a_cure() {
        for (code, detail, cure) in [
            ("NOAUTH", "Authentication required.", "asks for a password"),
            ("WRONGPASS", "invalid", "password is wrong"),
            ("NOPERM", "no permissions", "give this user the rights"),
            ("READONLY", "You can't write", "name the primary"),
            ("LOADING", "Redis is loading", "still reading its data"),
            ("MISCONF", "Errors writing", "its disk"),
            ("OOM", "command not allowed", "maxmemory"),
            ("NOREPLICAS", "Not enough", "too few replicas"),
            ("MASTERDOWN", "Link", "lost its primary"),
            ("CLUSTERDOWN", "Hash slot not served", "not whole"),
            ("ASK", "1 h:1", "moving this key"),
            ("BUSY", "script", "SCRIPT KILL"),
            ("DENIED", "protected", "protected mode"),
            ("ERR", "DB index is out of range", "no database of this"),
            ("ERR", "max number of clients reached", "maxclients"),
            ("ERR", "unknown command 'EVAL'", "Lua scripts"),
        ] {
            let text = explain(code, detail);
            assert!(text.contains(cure) && text.contains(detail), "{text}");
        }
        assert_eq!(explain("ODD", "thing"), "the server says `ODD thing`");
    }

    #[test]
    fn only_a_lost_answer_leaves_a_write_unknown() {
        let lost = || Trouble::Lost("gone".to_owned());
        let reading = lost().of_reading("here");
        assert!(matches!(reading, BackendError::Unavailable { .. }));
        assert!(matches!(
            lost().of_writing("here"),
            BackendError::Unknown { .. }
        ));
        let refused = Trouble::Refused("no".to_owned()).of_writing("here");
        assert!(matches!(refused, BackendError::Unavailable { .. }));
    }
}
