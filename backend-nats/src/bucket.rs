//! A key-value bucket: the stream behind it, its entries, and what is asked of it.

use std::time::Duration;

use async_nats::HeaderMap;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::session::{Known, Session};
use crate::trouble::{NO_MESSAGE, NO_STREAM, STREAM_EXISTS, Trouble};

/// A bucket by name.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) stream: String,
    use_: Use,
    replicas: u8,
}

/// What a bucket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Entries stay until they are replaced.
    State,
    /// Entries go after a day, and may be deleted one by one.
    Leases,
    /// The same for visitors' sessions: apart, because they may be many, and reading the others would pass them all.
    Sessions,
}

/// The longest that a lease lasts is a day.
const LEASES_GO_AFTER: Duration = Duration::from_secs(25 * 3600);

/// How long a server may take to finish a bucket that another client is making.
const HALF_MADE: Duration = Duration::from_millis(100);

/// What lies under a key.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) sequence: u64,
    pub(crate) data: Vec<u8>,
    /// A mark that something was deleted here.
    pub(crate) deleted: bool,
    /// When the server took it, in milliseconds since 1970.
    pub(crate) at: i64,
}

/// What was found.
#[derive(Debug)]
pub(crate) enum Found {
    Entry(Entry),
    NoEntry,
    NoBucket,
}

#[derive(Serialize, Deserialize)]
struct Settings {
    name: String,
    #[serde(default)]
    description: String,
    subjects: Vec<String>,
    retention: String,
    storage: String,
    discard: String,
    max_consumers: i64,
    max_msgs: i64,
    max_bytes: i64,
    max_msgs_per_subject: i64,
    max_msg_size: i64,
    max_age: u64,
    num_replicas: u8,
    #[serde(default)]
    allow_rollup_hdrs: bool,
    #[serde(default)]
    deny_delete: bool,
    #[serde(default)]
    allow_direct: bool,
}

#[derive(Deserialize)]
struct Info {
    config: Settings,
    state: Extent,
}

#[derive(Deserialize)]
struct Extent {
    /// The number of the newest entry that there ever was; 0: there was none.
    last_seq: u64,
}

#[derive(Deserialize)]
struct Ack {
    seq: u64,
}

#[derive(Deserialize)]
struct Got {
    message: Stored,
}

#[derive(Deserialize)]
struct Stored {
    seq: u64,
    #[serde(default)]
    data: String,
    #[serde(default)]
    hdrs: String,
    time: String,
}

impl Bucket {
    pub(crate) fn new(name: String, use_: Use, replicas: u8) -> Self {
        Self {
            stream: format!("KV_{name}"),
            name,
            use_,
            replicas,
        }
    }

    /// The subject of a key.
    pub(crate) fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name)
    }

    /// Makes the bucket if it is not there, and looks whether it fits.
    pub(crate) async fn ensure(&self, session: &Session) -> Result<(), Trouble> {
        let known = self.known(session);
        if known.fits() {
            return Ok(());
        }
        let info = match self.info(session).await {
            Err(trouble) if trouble.is(NO_STREAM) => self.create(session).await?,
            other => other?,
        };
        if info.state.last_seq == 0 {
            // Somebody else may be making it just now; what is half made refuses what comes too early.
            tokio::time::sleep(HALF_MADE).await;
        }
        self.check(&info.config)?;
        known.set_fits();
        Ok(())
    }

    /// What was found out about it.
    pub(crate) const fn known<'a>(&self, session: &'a Session) -> &'a Known {
        match self.use_ {
            Use::State => &session.state,
            Use::Leases => &session.leases,
            Use::Sessions => &session.sessions,
        }
    }

    async fn info(&self, session: &Session) -> Result<Info, Trouble> {
        let verb = format!("STREAM.INFO.{}", self.stream);
        session.api(&verb, &json!({})).await
    }

    async fn create(&self, session: &Session) -> Result<Info, Trouble> {
        let verb = format!("STREAM.CREATE.{}", self.stream);
        match session.api(&verb, &self.settings()).await {
            // Somebody else was faster, and may have made it in another way.
            Err(trouble) if trouble.is(STREAM_EXISTS) => self.info(session).await,
            other => other,
        }
    }

    /// As `nats kv add` would make it, but for what is told beside each difference.
    fn settings(&self) -> Settings {
        let presence = self.use_ != Use::State;
        Settings {
            name: self.stream.clone(),
            description: if presence {
                "leases of maintenance-mode".to_owned()
            } else {
                "state of maintenance-mode".to_owned()
            },
            subjects: vec![self.subject(">")],
            retention: "limits".to_owned(),
            storage: "file".to_owned(),
            discard: "new".to_owned(),
            max_consumers: -1,
            max_msgs: -1,
            max_bytes: -1,
            max_msgs_per_subject: 1,
            max_msg_size: -1,
            max_age: if presence {
                u64::try_from(LEASES_GO_AFTER.as_nanos()).unwrap_or(0)
            } else {
                0
            },
            num_replicas: self.replicas,
            allow_rollup_hdrs: true,
            // Leases that have ended are removed one by one, without a mark.
            deny_delete: !presence,
            // Whoever reads by other tools is answered by the leader too.
            allow_direct: false,
        }
    }

    fn check(&self, found: &Settings) -> Result<(), Trouble> {
        let wrong = |what: &str| {
            Err(Trouble::Unsent(format!(
                "the bucket `{}` cannot be used: {what}",
                self.name
            )))
        };
        match self.use_ {
            Use::State if found.max_age != 0 => wrong(&format!(
                "its entries go after a time, and the state with them; run \
                 `nats stream edit {} --max-age=0`",
                self.stream
            )),
            Use::Leases | Use::Sessions if found.deny_delete => wrong(&format!(
                "entries cannot be removed from it; run `nats stream rm {}`, and it is made anew",
                self.stream
            )),
            _ => Ok(()),
        }
    }

    /// The newest entry of a key, read from the stream's leader and not from a replica.
    ///
    /// Servers of version 2.9 crash when they are asked for an entry of a bucket that another client is making at that
    /// moment. So nothing is asked of a bucket before its extent says that it had an entry.
    pub(crate) async fn last(&self, session: &Session, key: &str) -> Result<Found, Trouble> {
        let known = self.known(session);
        if !known.filled() {
            match self.info(session).await {
                Ok(info) if info.state.last_seq == 0 => return Ok(Found::NoEntry),
                Ok(_) => known.set_filled(),
                Err(trouble) if trouble.is(NO_STREAM) => return Ok(Found::NoBucket),
                Err(trouble) => return Err(trouble),
            }
        }
        let verb = format!("STREAM.MSG.GET.{}", self.stream);
        let body = json!({ "last_by_subj": self.subject(key) });
        let stored = match session.api::<_, Got>(&verb, &body).await {
            Ok(got) => got.message,
            Err(trouble) if trouble.is(NO_MESSAGE) => return Ok(Found::NoEntry),
            Err(trouble) if trouble.is(NO_STREAM) => {
                known.forget();
                return Ok(Found::NoBucket);
            }
            Err(trouble) => return Err(trouble),
        };
        let decode = |text: &str| {
            BASE64_STANDARD.decode(text).map_err(|error| {
                Trouble::Unanswered(format!("the server's answer is not understood: {error}"))
            })
        };
        let headers = decode(&stored.hdrs)?;
        Ok(Found::Entry(Entry {
            sequence: stored.seq,
            data: decode(&stored.data)?,
            deleted: marks_a_deletion(&String::from_utf8_lossy(&headers)),
            at: milliseconds(&stored.time)?,
        }))
    }

    /// Stores an entry. With `expected` only if the key's newest entry still has that number; 0: has none.
    pub(crate) async fn put(
        &self,
        session: &Session,
        key: &str,
        data: impl Into<Bytes>,
        expected: Option<u64>,
    ) -> Result<u64, Trouble> {
        let mut headers = HeaderMap::new();
        if let Some(expected) = expected {
            headers.insert(
                "Nats-Expected-Last-Subject-Sequence",
                expected.to_string().as_str(),
            );
        }
        let subject = self.subject(key);
        let ack = session.publish::<Ack>(&subject, headers, data.into()).await;
        if let Err(trouble) = &ack
            && trouble.is(NO_STREAM)
        {
            self.known(session).forget();
        }
        Ok(ack?.seq)
    }

    /// Removes one entry by its number: nothing, if it was replaced in the meantime.
    pub(crate) async fn remove(&self, session: &Session, sequence: u64) -> Result<(), Trouble> {
        let verb = format!("STREAM.MSG.DELETE.{}", self.stream);
        let body = json!({ "seq": sequence, "no_erase": true });
        session
            .api::<_, serde_json::Value>(&verb, &body)
            .await
            .map(|_| ())
    }
}

/// The headers of an entry that stands for a deletion, by a client (ADR-8) or by the server (ADR-43).
fn marks_a_deletion(headers: &str) -> bool {
    headers.lines().any(|line| match line.split_once(':') {
        Some((name, value)) if name.eq_ignore_ascii_case("KV-Operation") => {
            matches!(value.trim(), "DEL" | "PURGE")
        }
        Some((name, _)) => name.eq_ignore_ascii_case("Nats-Marker-Reason"),
        None => false,
    })
}

/// A time of the server (RFC 3339) in milliseconds since 1970.
pub(crate) fn milliseconds(time: &str) -> Result<i64, Trouble> {
    match time.parse::<jiff::Timestamp>() {
        Ok(time) => Ok(time.as_millisecond()),
        Err(error) => Err(Trouble::Unanswered(format!(
            "the server's time `{time}` is not understood: {error}"
        ))),
    }
}
