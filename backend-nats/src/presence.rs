//! Leases in a bucket of their own.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use maintenance_mode::backend::BackendError;
use maintenance_mode::presence::{Held, Holder, Lease, LeaseKey, LeaseKind, PresenceBackend};
use maintenance_mode::state::SiteName;

use crate::bucket::{Bucket, Entry, Found, Use};
use crate::lease::{self, Value};
use crate::scan::scan;
use crate::session::{Link, Session};
use crate::trouble::{NO_MESSAGE, NO_SEQUENCE, NO_STREAM, NOT_DELETED, Trouble, WRONG_SEQUENCE};

/// Requests on their way at the same time.
const AT_ONCE: usize = 256;

/// A lease that is written this often by others while one call tries has too many writers.
const MOST_TRIES: usize = 16;

/// Leases that ended this long ago are removed by whoever counts, in milliseconds.
const SWEPT_AFTER: i64 = 10_000;

/// Of those, so many by one call.
const SWEPT_AT_ONCE: usize = 2_000;

/// Leases as keys `STATE.KIND.SITE.NAME` of the buckets `BUCKET-presence` and, for sessions, `BUCKET-sessions`.
#[derive(Clone)]
pub(crate) struct NatsPresence {
    link: Arc<Link>,
    leases: Bucket,
    sessions: Bucket,
}

/// A living lease that was read.
struct Living {
    began: i64,
    ends: i64,
    value: Value,
}

impl NatsPresence {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        let options = &link.options;
        let bucket = |what: &str, use_| {
            let name = format!("{}-{what}", options.bucket);
            Bucket::new(name, use_, options.replicas)
        };
        Self {
            leases: bucket("presence", Use::Leases),
            sessions: bucket("sessions", Use::Sessions),
            link,
        }
    }

    fn bucket(&self, kind: LeaseKind) -> &Bucket {
        if kind == LeaseKind::Session {
            &self.sessions
        } else {
            &self.leases
        }
    }

    fn state(&self) -> &str {
        &self.link.options.key
    }

    fn failed(&self, trouble: Trouble) -> BackendError {
        trouble.reading(&self.link.place)
    }

    async fn session(&self, bucket: &Bucket) -> Result<Arc<Session>, Trouble> {
        let session = self.link.session().await?;
        bucket.ensure(&session).await?;
        Ok(session)
    }

    /// The time of the server that takes the entries, in milliseconds since 1970: that of an entry written now.
    async fn now(&self, session: &Session, bucket: &Bucket) -> Result<i64, Trouble> {
        let clock = format!("{}.clock", self.state());
        bucket.put(session, &clock, "", None).await?;
        match bucket.last(session, &clock).await? {
            Found::Entry(entry) => Ok(entry.at),
            Found::NoEntry | Found::NoBucket => Err(gone()),
        }
    }

    /// Begins or renews those of one bucket; returns those that others hold.
    async fn renew_in(
        &self,
        bucket: &Bucket,
        leases: Vec<(LeaseKey, Lease)>,
    ) -> Result<Vec<LeaseKey>, Trouble> {
        let session = &*self.session(bucket).await?;
        let now = self.now(session, bucket).await?;
        let renewals = leases.into_iter().map(|(key, lease)| async move {
            let renewed = self.renew_one(session, &lease, now).await?;
            Ok((!renewed).then_some(key))
        });
        stream::iter(renewals)
            .buffer_unordered(AT_ONCE)
            .try_filter_map(|refused| async move { Ok(refused) })
            .try_collect()
            .await
    }

    /// Begins or renews one; `false`: somebody else holds it.
    async fn renew_one(&self, session: &Session, lease: &Lease, now: i64) -> Result<bool, Trouble> {
        let bucket = self.bucket(lease.key().kind);
        let path = lease::path(self.state(), lease.key());
        for _ in 0..MOST_TRIES {
            let (sequence, began) = match bucket.last(session, &path).await? {
                Found::Entry(entry) => match holding(&entry, now) {
                    Some(value) if value.holder() != Some(lease.holder()) => return Ok(false),
                    Some(value) => (entry.sequence, Some(value.began(entry.at))),
                    None => (entry.sequence, None),
                },
                Found::NoEntry => (0, None),
                Found::NoBucket => return Err(gone()),
            };
            let value = serde_json::to_vec(&Value::new(lease, began));
            let value = value.map_err(|error| Trouble::Unsent(error.to_string()))?;
            match bucket.put(session, &path, value, Some(sequence)).await {
                Ok(_) => return Ok(true),
                Err(trouble) if trouble.is(WRONG_SEQUENCE) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Err(busy())
    }

    /// Removes one if this holder has it.
    async fn release_one(
        &self,
        session: &Session,
        holder: Holder,
        key: &LeaseKey,
    ) -> Result<(), Trouble> {
        let bucket = self.bucket(key.kind);
        let path = lease::path(self.state(), key);
        for _ in 0..MOST_TRIES {
            let Found::Entry(entry) = bucket.last(session, &path).await? else {
                return Ok(());
            };
            let held = holding(&entry, i64::MIN).and_then(|value| value.holder());
            if held != Some(holder) {
                return Ok(());
            }
            match bucket.remove(session, entry.sequence).await {
                // It was renewed, or taken, in the meantime.
                Err(trouble) if was_gone(&trouble) => {}
                other => return other,
            }
        }
        Err(busy())
    }

    /// Reads all leases of a kind and shows the living ones.
    async fn living(
        &self,
        kind: LeaseKind,
        site: Option<&SiteName>,
        mut show: impl FnMut(&str, i64, Value) + Send,
    ) -> Result<i64, Trouble> {
        let bucket = self.bucket(kind);
        let session = self.session(bucket).await?;
        let mut ended = Vec::new();
        let filter = lease::filter(self.state(), kind, site);
        // The time is known only at the end, and is that of the beginning: what ended by then is sorted out after.
        let now = scan(
            &session,
            bucket,
            &filter,
            |seen| match serde_json::from_slice::<Value>(seen.data) {
                Ok(value) => {
                    ended.push((value.ends(seen.at), seen.sequence));
                    show(seen.key, seen.at, value);
                }
                Err(error) if !seen.data.is_empty() => {
                    tracing::warn!("`{}` is no lease: {error}", seen.key);
                }
                Err(_) => {}
            },
        )
        .await
        .inspect_err(|trouble| {
            if trouble.is(NO_STREAM) {
                bucket.known(&session).forget();
            }
        })?;
        ended.retain(|(ends, _)| ends.saturating_add(SWEPT_AFTER) < now);
        ended.truncate(SWEPT_AT_ONCE);
        sweep(session, bucket.clone(), ended);
        Ok(now)
    }
}

/// Removes entries that ended, while the caller goes on. One that was renewed has another number and stays.
fn sweep(session: Arc<Session>, bucket: Bucket, ended: Vec<(i64, u64)>) {
    if ended.is_empty() {
        return;
    }
    tokio::spawn(async move {
        let (session, bucket) = (&*session, &bucket);
        stream::iter(ended)
            .for_each_concurrent(AT_ONCE / 4, |(_, sequence)| async move {
                if let Err(trouble) = bucket.remove(session, sequence).await
                    && !was_gone(&trouble)
                {
                    tracing::debug!("a lease that ended was not removed: {trouble:?}");
                }
            })
            .await;
    });
}

/// The lease in an entry, unless it ended by then.
fn holding(entry: &Entry, now: i64) -> Option<Value> {
    let value: Value = serde_json::from_slice(&entry.data).ok()?;
    (!entry.deleted && value.ends(entry.at) > now).then_some(value)
}

fn was_gone(trouble: &Trouble) -> bool {
    trouble.is(NOT_DELETED) || trouble.is(NO_SEQUENCE) || trouble.is(NO_MESSAGE)
}

fn gone() -> Trouble {
    Trouble::Unanswered("the bucket of the leases was removed meanwhile".to_owned())
}

fn busy() -> Trouble {
    Trouble::Unanswered(
        "a lease was written again and again by others meanwhile; try again".to_owned(),
    )
}

fn duration(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}

impl fmt::Debug for NatsPresence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NatsPresence")
            .field(&self.link.place)
            .finish()
    }
}

#[async_trait]
impl PresenceBackend for NatsPresence {
    fn describe(&self) -> String {
        format!(
            "{} (leases in the buckets `{}` and `{}`)",
            self.link.place, self.leases.name, self.sessions.name
        )
    }

    async fn renew(&self, leases: &[Lease]) -> Result<Vec<LeaseKey>, BackendError> {
        let last: HashMap<LeaseKey, Lease> = leases
            .iter()
            .map(|lease| (lease.key().clone(), lease.clone()))
            .collect();
        let (sessions, others): (Vec<_>, Vec<_>) = last
            .into_iter()
            .partition(|(key, _)| key.kind == LeaseKind::Session);
        let mut refused = Vec::new();
        for (bucket, leases) in [(&self.leases, others), (&self.sessions, sessions)] {
            if !leases.is_empty() {
                let renewed = self.renew_in(bucket, leases).await;
                refused.extend(renewed.map_err(|trouble| self.failed(trouble))?);
            }
        }
        Ok(refused)
    }

    async fn release(&self, holder: Holder, keys: &[LeaseKey]) -> Result<(), BackendError> {
        let released = async {
            let session = &*self.link.session().await?;
            let keys: HashSet<LeaseKey> = keys.iter().cloned().collect();
            let releases = keys
                .into_iter()
                .map(|key| async move { self.release_one(session, holder, &key).await });
            stream::iter(releases)
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await
        };
        released.await.map_err(|trouble| self.failed(trouble))
    }

    async fn count(&self, kind: LeaseKind, site: Option<&SiteName>) -> Result<u64, BackendError> {
        let mut ends: HashMap<Box<str>, i64> = HashMap::new();
        let now = self
            .living(kind, site, |key, at, value| {
                ends.insert(key.into(), value.ends(at));
            })
            .await
            .map_err(|trouble| self.failed(trouble))?;
        Ok(ends.values().filter(|ends| **ends > now).count() as u64)
    }

    async fn list(
        &self,
        kind: LeaseKind,
        site: Option<&SiteName>,
        most: usize,
    ) -> Result<Vec<Held>, BackendError> {
        let mut living: HashMap<Box<str>, Living> = HashMap::new();
        let now = self
            .living(kind, site, |key, at, value| {
                let lease = Living {
                    began: value.began(at),
                    ends: value.ends(at),
                    value,
                };
                living.insert(key.into(), lease);
            })
            .await
            .map_err(|trouble| self.failed(trouble))?;
        let mut living: Vec<_> = living
            .into_iter()
            .filter(|(_, lease)| lease.ends > now)
            .collect();
        living.sort_by_key(|(_, lease)| lease.began);
        let held = living.into_iter().filter_map(|(path, lease)| {
            Some(Held {
                key: lease::key(&path)?,
                holder: lease.value.holder()?,
                note: lease.value.note,
                age: duration(now - lease.began),
                left: duration(lease.ends - now),
            })
        });
        Ok(held.take(most).collect())
    }
}
