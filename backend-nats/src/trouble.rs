//! What goes wrong on the way to the server and back.

use maintenance_mode::backend::BackendError;
use serde::Deserialize;

/// There is no stream behind a bucket.
pub(crate) const NO_STREAM: u64 = 10059;
/// There is a stream of that name already.
pub(crate) const STREAM_EXISTS: u64 = 10058;
/// There is no message of that subject.
pub(crate) const NO_MESSAGE: u64 = 10037;
/// There is no message of that number.
pub(crate) const NO_SEQUENCE: u64 = 10043;
/// The message could not be deleted; mostly because it is gone.
pub(crate) const NOT_DELETED: u64 = 10057;
/// Somebody else wrote in the meantime.
pub(crate) const WRONG_SEQUENCE: u64 = 10071;

/// What went wrong, told apart by what it means for a write.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// Nothing was sent, or the server did not let it in: nothing was changed.
    Unsent(String),
    /// It was sent, and no answer came: nobody knows.
    Unanswered(String),
    /// The server refused it: nothing was changed.
    Refused(Refusal),
}

/// JetStream's own words.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Refusal {
    /// Which error: the number that does not change from version to version.
    #[serde(default, rename = "err_code")]
    pub(crate) number: u64,
    #[serde(default)]
    pub(crate) description: String,
}

impl Trouble {
    /// Whether the server refused with this number.
    pub(crate) fn is(&self, number: u64) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.number == number)
    }

    /// What it means for whoever reads.
    pub(crate) fn reading(self, place: &str) -> BackendError {
        let what = match self {
            Self::Unsent(what) | Self::Unanswered(what) => what,
            Self::Refused(refusal) => refusal.explained(),
        };
        BackendError::Unavailable {
            place: place.to_owned(),
            what,
            source: None,
        }
    }

    /// What it means for whoever writes.
    pub(crate) fn writing(self, place: &str) -> BackendError {
        match self {
            Self::Unanswered(why) => BackendError::Unknown {
                place: place.to_owned(),
                why,
            },
            other => other.reading(place),
        }
    }
}

impl Refusal {
    fn explained(self) -> String {
        let cure = match self.number {
            10_039 | 10_076 => JETSTREAM_OFF,
            10_074 => "; use `replicas=1`, or a cluster",
            10_005 => "; the cluster has not enough servers for `replicas`",
            10_002 | 10_023 | 10_027 | 10_028 | 10_047 => {
                "; raise the limits of JetStream for this account or server"
            }
            10_077 | 10_122 => "; raise the bucket's `max_bytes`, or the server's storage",
            10_054 => "; raise the bucket's `max_msg_size`",
            10_004 | 10_008 | 10_009 => {
                "; the cluster has no leader now: `nats server report jetstream` shows its servers"
            }
            10_118 => "; the bucket's servers are down: `nats stream report` shows them",
            _ => "",
        };
        format!(
            "the server refuses: {} ({}){cure}",
            self.description, self.number
        )
    }
}

const JETSTREAM_OFF: &str = "; JetStream is not enabled here: give the server a `jetstream` block with a `store_dir`, \
     and the account `jetstream: enabled`";

/// Nobody answers requests to JetStream.
pub(crate) fn no_jetstream() -> Trouble {
    Trouble::Unsent(format!("nobody answers for JetStream{JETSTREAM_OFF}"))
}
