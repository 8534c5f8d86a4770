//! Leases in the server, by the server's clock.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use maintenance_mode::SiteName;
use maintenance_mode::backend::BackendError;
use maintenance_mode::presence::{
    Held, Holder, Lease, LeaseKey, LeaseKind, LeaseName, PresenceBackend,
};
use redis::Pipeline;

use crate::keys::{Keys, LeaseKeys};
use crate::link::{Link, expect, take};
use crate::trouble::Trouble;

const RENEW: &str = concat!(
    include_str!("lua/leases.lua"),
    include_str!("lua/renew.lua")
);
const RELEASE: &str = concat!(
    include_str!("lua/leases.lua"),
    include_str!("lua/release.lua")
);
const COUNT: &str = concat!(
    include_str!("lua/leases.lua"),
    include_str!("lua/count.lua")
);
const LIST: &str = concat!(include_str!("lua/leases.lua"), include_str!("lua/list.lua"));

/// Leases of one script, so that none holds the server up for long: a thousand took 7 ms of a busy machine.
const CHUNK: usize = 500;

/// Scripts of one round trip.
const CHUNKS: usize = 20;

/// Leases in Redis or Valkey, beside the record of a [`RedisBackend`](crate::RedisBackend), which gives them by
/// [`presence`](maintenance_mode::backend::StateBackend::presence).
#[derive(Clone, Debug)]
pub(crate) struct RedisPresence {
    link: Arc<Link>,
    keys: Keys,
}

/// Leases of one kind and site, none twice, with their places in the caller's batch.
struct Chunk<'a> {
    kind: LeaseKind,
    site: &'a SiteName,
    names: HashSet<&'a LeaseName>,
    places: Vec<usize>,
}

impl Chunk<'_> {
    fn takes(&self, name: &LeaseName) -> bool {
        self.places.len() < CHUNK && !self.names.contains(name)
    }
}

/// Cuts a batch into chunks. Two leases with one key are in two chunks, in the order in which they came.
fn chunks<'a>(keys: impl Iterator<Item = &'a LeaseKey>) -> Vec<Chunk<'a>> {
    let mut chunks: Vec<Chunk<'a>> = Vec::new();
    for (place, key) in keys.enumerate() {
        let of_same = |chunk: &&mut Chunk<'_>| chunk.kind == key.kind && *chunk.site == key.site;
        // Only the last chunk of its kind and site takes more.
        let last = chunks.iter_mut().rev().find(of_same);
        match last.filter(|chunk| chunk.takes(&key.name)) {
            Some(chunk) => {
                chunk.names.insert(&key.name);
                chunk.places.push(place);
            }
            None => chunks.push(Chunk {
                kind: key.kind,
                site: &key.site,
                names: HashSet::from([&key.name]),
                places: vec![place],
            }),
        }
    }
    chunks
}

/// The holder and the note in one text. Nothing for what is most: a session, which everybody holds and which says
/// nothing.
fn fact(lease: &Lease) -> String {
    if lease.holder() == Holder::EVERYBODY && lease.note().is_empty() {
        String::new()
    } else {
        format!("{}{}", lease.holder(), lease.note())
    }
}

fn read_fact(fact: &str) -> Option<(Holder, String)> {
    if fact.is_empty() {
        return Some((Holder::EVERYBODY, String::new()));
    }
    let (holder, note) = fact.split_at_checked(32)?;
    Some((holder.parse().ok()?, note.to_owned()))
}

/// Adds a call of a script to the pipeline.
fn call<'a>(
    pipeline: &mut Pipeline,
    script: &str,
    keys: impl IntoIterator<Item = &'a str>,
    arguments: impl IntoIterator<Item = String>,
) {
    let keys: Vec<&str> = keys.into_iter().collect();
    pipeline.cmd("EVAL").arg(script).arg(keys.len()).arg(keys);
    for argument in arguments {
        pipeline.arg(argument);
    }
}

impl RedisPresence {
    pub(crate) const fn new(link: Arc<Link>, keys: Keys) -> Self {
        Self { link, keys }
    }

    async fn renew_chunks(
        &self,
        leases: &[Lease],
        chunks: &[Chunk<'_>],
    ) -> Result<Vec<usize>, Trouble> {
        let mut scripts = redis::pipe();
        for chunk in chunks {
            let keys = self.keys.leases(chunk.kind, chunk.site);
            let sites = self.keys.sites(chunk.kind);
            let site = std::iter::once(chunk.site.to_string());
            let renewals = chunk.places.iter().flat_map(|place| {
                let lease = &leases[*place];
                let lasts = lease.lasts().as_millis().to_string();
                [lease.key().name.to_string(), lasts, fact(lease)]
            });
            let names = keys.all().into_iter().chain([sites.as_str()]);
            call(&mut scripts, RENEW, names, site.chain(renewals));
        }
        let mut answers = self.link.ask(&scripts).await?.into_iter();
        let mut refused = Vec::new();
        for chunk in chunks {
            let places: Vec<usize> = expect(take(&mut answers)?)?;
            refused.extend(places.iter().filter_map(|place| chunk.places.get(*place)));
        }
        Ok(refused)
    }

    async fn release_all(&self, holder: Holder, keys: &[LeaseKey]) -> Result<(), Trouble> {
        for chunks in chunks(keys.iter()).chunks(CHUNKS) {
            let mut scripts = redis::pipe();
            for chunk in chunks {
                let names = chunk
                    .places
                    .iter()
                    .map(|place| keys[*place].name.to_string());
                let of_site = self.keys.leases(chunk.kind, chunk.site);
                let arguments = std::iter::once(holder.to_string()).chain(names);
                call(&mut scripts, RELEASE, of_site.all(), arguments);
            }
            let mut answers = self.link.ask(&scripts).await?.into_iter();
            for _ in chunks {
                take(&mut answers)?;
            }
        }
        Ok(())
    }

    /// The sites of which there may be leases.
    async fn sites(
        &self,
        kind: LeaseKind,
        site: Option<&SiteName>,
    ) -> Result<Vec<SiteName>, Trouble> {
        if let Some(site) = site {
            return Ok(vec![site.clone()]);
        }
        let mut question = redis::pipe();
        question.cmd("SMEMBERS").arg(self.keys.sites(kind));
        let mut answers = self.link.ask(&question).await?.into_iter();
        let names: Vec<String> = expect(take(&mut answers)?)?;
        let site = |name: String| {
            let parsed = name.parse();
            parsed.map_err(|_| strange(&self.keys.sites(kind), &name))
        };
        names.into_iter().map(site).collect()
    }

    async fn count_all(&self, kind: LeaseKind, site: Option<&SiteName>) -> Result<u64, Trouble> {
        let sites = self.sites(kind, site).await?;
        let keys: Vec<LeaseKeys> = sites.iter().map(|s| self.keys.leases(kind, s)).collect();
        let mut script = redis::pipe();
        call(&mut script, COUNT, keys.iter().flat_map(LeaseKeys::all), []);
        let mut answers = self.link.ask(&script).await?.into_iter();
        expect(take(&mut answers)?)
    }

    /// The oldest of one site.
    async fn oldest(
        &self,
        kind: LeaseKind,
        site: &SiteName,
        most: usize,
    ) -> Result<Vec<Held>, Trouble> {
        let keys = self.keys.leases(kind, site);
        let mut held = Vec::new();
        while held.len() < most {
            let page = CHUNK.min(most - held.len());
            let mut script = redis::pipe();
            let arguments = [held.len().to_string(), page.to_string()];
            call(&mut script, LIST, keys.all(), arguments);
            let mut answers = self.link.ask(&script).await?.into_iter();
            let answer: Vec<String> = expect(take(&mut answers)?)?;
            let looked_at: usize = answer.first().and_then(|n| n.parse().ok()).unwrap_or(0);
            for entry in answer[1.min(answer.len())..].chunks_exact(4) {
                let read = read_entry(kind, site, entry);
                held.push(read.ok_or_else(|| strange(&keys.began, &entry[0]))?);
            }
            if looked_at < page {
                break;
            }
        }
        Ok(held)
    }

    async fn list_all(
        &self,
        kind: LeaseKind,
        site: Option<&SiteName>,
        most: usize,
    ) -> Result<Vec<Held>, Trouble> {
        let mut held = Vec::new();
        for site in self.sites(kind, site).await? {
            held.extend(self.oldest(kind, &site, most).await?);
        }
        held.sort_by_key(|held| std::cmp::Reverse(held.age));
        held.truncate(most);
        Ok(held)
    }
}

fn read_entry(kind: LeaseKind, site: &SiteName, entry: &[String]) -> Option<Held> {
    let [name, age, left, fact] = entry else {
        return None;
    };
    let (holder, note) = read_fact(fact)?;
    Some(Held {
        key: LeaseKey {
            kind,
            site: site.clone(),
            name: name.parse().ok()?,
        },
        holder,
        note,
        age: Duration::from_millis(age.parse().ok()?),
        left: Duration::from_millis(left.parse().ok()?),
    })
}

fn strange(key: &str, what: &str) -> Trouble {
    Trouble::Refused(format!(
        "the key `{key}` holds {what:?}, which no lease is; does another program write there?"
    ))
}

#[async_trait]
impl PresenceBackend for RedisPresence {
    fn describe(&self) -> String {
        self.link.place.clone()
    }

    async fn renew(&self, leases: &[Lease]) -> Result<Vec<LeaseKey>, BackendError> {
        let mut refused = Vec::new();
        for chunks in chunks(leases.iter().map(Lease::key)).chunks(CHUNKS) {
            let places = self.renew_chunks(leases, chunks).await;
            refused.extend(places.map_err(|trouble| trouble.of_reading(&self.link.place))?);
        }
        refused.sort_unstable();
        Ok(refused
            .into_iter()
            .map(|place| leases[place].key().clone())
            .collect())
    }

    async fn release(&self, holder: Holder, keys: &[LeaseKey]) -> Result<(), BackendError> {
        let released = self.release_all(holder, keys).await;
        released.map_err(|trouble| trouble.of_reading(&self.link.place))
    }

    async fn count(&self, kind: LeaseKind, site: Option<&SiteName>) -> Result<u64, BackendError> {
        let count = self.count_all(kind, site).await;
        count.map_err(|trouble| trouble.of_reading(&self.link.place))
    }

    async fn list(
        &self,
        kind: LeaseKind,
        site: Option<&SiteName>,
        most: usize,
    ) -> Result<Vec<Held>, BackendError> {
        let held = self.list_all(kind, site, most).await;
        held.map_err(|trouble| trouble.of_reading(&self.link.place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: LeaseKind, name: &str) -> Result<LeaseKey, Box<dyn std::error::Error>> {
        Ok(LeaseKey {
            kind,
            site: SiteName::default(),
            name: name.parse()?,
        })
    }

    #[test]
    fn a_batch_is_cut_by_kind_and_size_and_where_a_name_comes_again()
    -> Result<(), Box<dyn std::error::Error>> {
        let mut keys = vec![key(LeaseKind::Task, "a")?];
        for n in 0..CHUNK + 1 {
            keys.push(key(LeaseKind::Session, &format!("{n}"))?);
        }
        keys.push(key(LeaseKind::Task, "b")?);
        keys.push(key(LeaseKind::Task, "a")?);
        let cut = chunks(keys.iter());
        let sizes: Vec<_> = cut.iter().map(|c| (c.kind, c.places.len())).collect();
        let expected = [
            (LeaseKind::Task, 2),
            (LeaseKind::Session, CHUNK),
            (LeaseKind::Session, 1),
            (LeaseKind::Task, 1),
        ];
        assert_eq!(sizes, expected);
        assert_eq!(cut[0].places, [0, CHUNK + 2]);
        assert_eq!(cut[3].places, [CHUNK + 3]);
        Ok(())
    }

    #[test]
    fn facts_come_back() -> Result<(), Box<dyn std::error::Error>> {
        let lease = |bits, note: &str| {
            let key = key(LeaseKind::Task, "a")?;
            let lease = Lease::new(key, Holder::from_bits(bits), Duration::from_secs(1))?;
            Ok::<_, Box<dyn std::error::Error>>(lease.with_note(note)?)
        };
        assert_eq!(fact(&lease(0, "")?), "");
        for (bits, note) in [(0, ""), (0, "n"), (7, ""), (7, "\u{1F980} x")] {
            let lease = lease(bits, note)?;
            let read = read_fact(&fact(&lease));
            assert_eq!(read, Some((lease.holder(), note.to_owned())));
        }
        assert_eq!(read_fact("short"), None);
        Ok(())
    }
}
