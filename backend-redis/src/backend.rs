//! The record in the server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use maintenance_mode::backend::{
    BackendError, BackendUrl, Hints, StateBackend, check_repair, check_succession,
};
use maintenance_mode::presence::PresenceBackend;
use maintenance_mode::state::{State, Version, codec};
use redis::{Pipeline, Value};

use crate::keys::Keys;
use crate::link::{Link, expect, take};
use crate::options::RedisOptions;
use crate::presence::RedisPresence;
use crate::source::Source;
use crate::subscription;
use crate::trouble::Trouble;

const COMPARE_AND_SET: &str = include_str!("lua/compare_and_set.lua");
const REPAIR: &str = include_str!("lua/repair.lua");

/// How often a call looks again at a record that changes under it.
const LOOKS: u32 = 5;

/// How many records may be set aside in one second.
const ASIDE: u32 = 1000;

/// How long replicas may take to confirm a change.
const REPLICAS: Duration = Duration::from_secs(1);

/// State in Redis or Valkey. Clones share the connection.
#[derive(Clone, Debug)]
pub struct RedisBackend {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    link: Arc<Link>,
    keys: Keys,
    wait_replicas: u32,
    /// The bytes that were last seen, so that a change needs one round trip.
    seen: Mutex<Option<(Version, Arc<[u8]>)>>,
}

/// What lies in the record's place.
enum Found {
    Nothing {
        marked: bool,
    },
    Bytes(Arc<[u8]>),
    /// A value of another type.
    Foreign(String),
}

impl RedisBackend {
    /// A backend for the server that the URL names, such as `redis://cache.internal/0`. Connects to nothing yet.
    ///
    /// Of a URL's parameters only those that say how to connect belong here: `protocol`, and for a socket `db`, `user`
    /// and `pass`. [`open`](crate::open) reads all of them.
    ///
    /// # Errors
    ///
    /// The URL or the options cannot be used.
    pub fn open(url: &str, options: &RedisOptions) -> Result<Self, BackendError> {
        let url: BackendUrl = url.parse()?;
        for (key, _) in url.parameters()? {
            if !matches!(key.as_str(), "protocol" | "db" | "user" | "pass") {
                let why = format!("`{key}` belongs to the options here, not to the URL");
                return Err(url.wrong(why).into());
            }
        }
        Self::connect_to(&url, url.as_str(), options)
    }

    /// `told` is the part of the URL that the client reads.
    pub(crate) fn connect_to(
        url: &BackendUrl,
        told: &str,
        options: &RedisOptions,
    ) -> Result<Self, BackendError> {
        options.check().map_err(|why| url.wrong(why))?;
        let source = Source::new(told, options).map_err(|why| url.wrong(why))?;
        let link = Link::new(
            url.to_string(),
            source,
            options.connect_within,
            options.answer_within,
        );
        Ok(Self {
            shared: Arc::new(Shared {
                link: Arc::new(link),
                keys: Keys::new(&options.prefix),
                wait_replicas: options.wait_replicas,
                seen: Mutex::new(None),
            }),
        })
    }
}

impl Shared {
    fn unreadable(&self, why: impl Into<String>) -> BackendError {
        BackendError::Unreadable {
            place: self.link.place.clone(),
            why: why.into(),
        }
    }

    fn foreign(&self, kind: &str) -> BackendError {
        let key = &self.keys.record;
        self.unreadable(format!(
            "the key `{key}` holds a {kind} and not a record; if it belongs to another program, choose another name \
             with `prefix=`"
        ))
    }

    fn vanished(&self) -> BackendError {
        BackendError::Vanished {
            place: self.link.place.clone(),
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<State, BackendError> {
        codec::decode(bytes).map_err(|error| self.unreadable(error.to_string()))
    }

    fn see(&self, version: Version, bytes: Arc<[u8]>) {
        // It is replaced in one step.
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, bytes));
    }

    fn seen(&self, version: Version) -> Option<Arc<[u8]>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = seen.as_ref().filter(|(known, _)| *known == version);
        fitting.map(|(_, bytes)| Arc::clone(bytes))
    }

    async fn find(&self) -> Result<Found, Trouble> {
        let mut questions = redis::pipe();
        // In this order: whoever makes the first record sets both at once, so a marker that was there before the
        // record was looked for means that there was one.
        questions.cmd("EXISTS").arg(&self.keys.marker);
        questions.cmd("GET").arg(&self.keys.record);
        questions.cmd("TYPE").arg(&self.keys.record);
        let mut answers = self.link.ask(&questions).await?.into_iter();
        let marked: bool = expect(take(&mut answers)?)?;
        match answers.next() {
            Some(Value::ServerError(error)) if error.code() == "WRONGTYPE" => {
                Ok(Found::Foreign(expect(take(&mut answers)?)?))
            }
            Some(Value::Nil) => Ok(Found::Nothing { marked }),
            answer => {
                let bytes: Vec<u8> = expect(take(&mut answer.into_iter())?)?;
                Ok(Found::Bytes(bytes.into()))
            }
        }
    }

    async fn load(&self) -> Result<Option<State>, BackendError> {
        let found = self.find().await;
        match found.map_err(|trouble| trouble.of_reading(&self.link.place))? {
            Found::Nothing { marked: true } => Err(self.vanished()),
            Found::Nothing { marked: false } => Ok(None),
            Found::Foreign(kind) => Err(self.foreign(&kind)),
            Found::Bytes(bytes) => {
                let state = self.decode(&bytes)?;
                self.see(state.version(), bytes);
                Ok(Some(state))
            }
        }
    }

    async fn compare_and_set(
        &self,
        expected: Option<Version>,
        next: &State,
    ) -> Result<(), BackendError> {
        check_succession(expected, next)?;
        let bytes: Arc<[u8]> = codec::encode(next)?.into();
        let mut old = expected.and_then(|version| self.seen(version));
        let mut last = None;
        for _ in 0..LOOKS {
            let how = if expected.is_some() {
                "replace"
            } else {
                "create"
            };
            let mut script = redis::pipe();
            script
                .cmd("EVAL")
                .arg(COMPARE_AND_SET)
                .arg(2)
                .arg(&self.keys.record)
                .arg(&self.keys.marker)
                .arg(how)
                .arg(old.as_deref().unwrap_or_default());
            let answer = self.change(script, &bytes, next).await?;
            let (word, present): (String, Vec<u8>) =
                expect(answer).map_err(|trouble| trouble.of_writing(&self.link.place))?;
            match word.as_str() {
                "stored" => {
                    self.see(next.version(), bytes);
                    return Ok(());
                }
                "foreign" => return Err(self.foreign(&String::from_utf8_lossy(&present))),
                "vanished" => return Err(self.vanished()),
                "nothing" => return Err(BackendError::Conflict(None)),
                _ => {
                    let state = self.decode(&present)?;
                    let present: Arc<[u8]> = present.into();
                    self.see(state.version(), Arc::clone(&present));
                    if Some(state.version()) != expected {
                        return Err(BackendError::Conflict(Some(Box::new(state))));
                    }
                    // What the caller expects, and these bytes were not known yet.
                    old = Some(present);
                    last = Some(state);
                }
            }
        }
        Err(BackendError::Conflict(last.map(Box::new)))
    }

    /// Runs a script that stores `next`, given all of its arguments but the last three.
    async fn change(
        &self,
        mut script: Pipeline,
        bytes: &[u8],
        next: &State,
    ) -> Result<Value, BackendError> {
        let hint = next.version().to_string();
        script.arg(bytes).arg(&self.keys.channel).arg(hint);
        if self.wait_replicas > 0 {
            let patience = REPLICAS.min(self.link.answer_within() / 2);
            let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
            script.cmd("WAIT").arg(self.wait_replicas).arg(patience);
        }
        let asked = self.link.ask_once(&script).await;
        let outcome = asked.and_then(|answers| {
            let mut answers = answers.into_iter();
            Ok((take(&mut answers)?, answers))
        });
        let (answer, mut rest) = outcome.map_err(|trouble| trouble.of_writing(&self.link.place))?;
        if self.wait_replicas > 0 && is_stored(&answer) {
            self.check_replicas(take(&mut rest).and_then(expect))?;
        }
        Ok(answer)
    }

    fn check_replicas(&self, confirmed: Result<u32, Trouble>) -> Result<(), BackendError> {
        let wanted = self.wait_replicas;
        let why = match confirmed {
            Ok(confirmed) if confirmed >= wanted => return Ok(()),
            Ok(confirmed) => format!("the server has it, and {confirmed} of {wanted} replicas"),
            Err(trouble) => format!(
                "the server has it; of the replicas it does not say: {}",
                trouble.of_reading(&self.link.place)
            ),
        };
        Err(BackendError::Unknown {
            place: self.link.place.clone(),
            why,
        })
    }

    async fn repair(&self, next: &State) -> Result<Option<String>, BackendError> {
        let bytes: Arc<[u8]> = codec::encode(next)?.into();
        let (mut looks, mut n) = (0, 1);
        while looks < LOOKS && n < ASIDE {
            let found = self.find().await;
            let found = found.map_err(|trouble| trouble.of_reading(&self.link.place))?;
            let (kind, old) = match &found {
                Found::Nothing { .. } => ("none", &[][..]),
                Found::Foreign(kind) => (kind.as_str(), &[][..]),
                Found::Bytes(bytes) => ("string", &**bytes),
            };
            check_repair(codec::decode(old).ok().map(|state| state.version()), next)?;
            let aside = self.keys.aside(seconds(), n);
            let mut script = redis::pipe();
            script
                .cmd("EVAL")
                .arg(REPAIR)
                .arg(3)
                .arg(&self.keys.record)
                .arg(&self.keys.marker)
                .arg(&aside)
                .arg(kind)
                .arg(old);
            let answer = self.change(script, &bytes, next).await?;
            let word: String =
                expect(answer).map_err(|trouble| trouble.of_writing(&self.link.place))?;
            match word.as_str() {
                "stored" => {
                    self.see(next.version(), bytes);
                    return Ok((kind != "none")
                        .then(|| format!("the old record is kept under the key {aside}")));
                }
                "taken" => n += 1,
                _ => looks += 1,
            }
        }
        Err(BackendError::Unavailable {
            place: self.link.place.clone(),
            what: "the record changes again and again while it is repaired; try again".to_owned(),
            source: None,
        })
    }
}

fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Whether a script says that it stored something.
fn is_stored(answer: &Value) -> bool {
    match answer {
        Value::BulkString(word) => word == b"stored",
        Value::Array(parts) => parts.first().is_some_and(is_stored),
        _ => false,
    }
}

#[async_trait]
impl StateBackend for RedisBackend {
    fn describe(&self) -> String {
        self.shared.link.place.clone()
    }

    async fn load(&self) -> Result<Option<State>, BackendError> {
        self.shared.load().await
    }

    async fn compare_and_set(
        &self,
        expected: Option<Version>,
        next: &State,
    ) -> Result<(), BackendError> {
        self.shared.compare_and_set(expected, next).await
    }

    async fn repair(&self, next: &State) -> Result<Option<String>, BackendError> {
        self.shared.repair(next).await
    }

    async fn subscribe(&self) -> Result<Box<dyn Hints>, BackendError> {
        let Shared { link, keys, .. } = &*self.shared;
        let subscription = subscription::subscribe(link, &keys.channel).await;
        let hints = subscription.map_err(|trouble| trouble.of_reading(&link.place))?;
        Ok(Box::new(hints))
    }

    fn presence(&self) -> Result<Arc<dyn PresenceBackend>, BackendError> {
        let Shared { link, keys, .. } = &*self.shared;
        Ok(Arc::new(RedisPresence::new(Arc::clone(link), keys.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_options_say_is_not_said_in_the_url_too() {
        let open = |url| RedisBackend::open(url, &RedisOptions::default());
        assert!(open("redis://h/?protocol=3").is_ok());
        let refused = open("redis://h/?prefix=shop").map_err(|error| error.to_string());
        assert!(refused.is_err_and(|why| why.contains("`prefix` belongs to the options")));
        let odd = RedisOptions::default().prefix("a{b");
        assert!(RedisBackend::open("redis://h/", &odd).is_err());
    }
}
