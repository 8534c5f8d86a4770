//! What every presence backend promises, as checks that run on any of them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use maintenance_mode::SiteName;
use maintenance_mode::presence::{
    Held, Holder, Lease, LeaseError, LeaseKey, LeaseKind, PresenceBackend,
};

use crate::backend_suite::{Broken, Place, broken};
use crate::ensure;

/// The shortest lease that there is.
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);
/// A store may end a lease this much later than it could.
const LATE: Duration = Duration::from_millis(1500);

const ADA: Holder = Holder::from_bits(0xada);
const BOB: Holder = Holder::from_bits(0xb0b);

type Presence = Arc<dyn PresenceBackend>;

impl From<LeaseError> for Broken {
    fn from(error: LeaseError) -> Self {
        broken(format!("a lease of the suite is wrong: {error}"))
    }
}

/// Puts a backend to every check. `place` makes a store that nobody has used yet.
///
/// # Errors
///
/// The first promise that was not kept, with the name of its check.
pub async fn run<F, P>(place: F) -> Result<(), Broken>
where
    F: Fn() -> P,
    P: Future<Output = Result<Box<dyn Place>, Broken>>,
{
    macro_rules! check {
        ($($name:ident),+ $(,)?) => {$(
            let store = place().await?;
            let (one, other) = (store.open().await?.presence()?, store.open().await?.presence()?);
            let result = $name(&one, &other).await;
            result.map_err(|why| broken(format!("{}: {why}", stringify!($name))))?;
        )+};
    }
    check!(
        a_new_store_has_no_leases,
        a_lease_is_seen_by_everybody,
        a_lease_ends_by_itself,
        a_renewed_lease_lives_on_and_keeps_its_age,
        a_lease_of_another_holder_is_left_alone,
        one_of_many_takes_a_lease,
        everybody_renews_what_everybody_holds,
        only_the_holder_releases,
        leases_are_counted_by_kind_and_site,
        lists_are_bounded_and_oldest_first,
        names_and_notes_come_back,
        a_batch_of_ten_thousand_is_renewed,
    );
    Ok(())
}

fn key(kind: LeaseKind, site: &str, name: &str) -> Result<LeaseKey, Broken> {
    Ok(LeaseKey {
        kind,
        site: site
            .parse::<SiteName>()
            .map_err(|error| broken(error.to_string()))?,
        name: name.parse()?,
    })
}

fn task(name: &str, holder: Holder, lasts: Duration) -> Result<Lease, Broken> {
    let key = key(LeaseKind::Task, "default", name)?;
    Ok(Lease::new(key, holder, lasts)?)
}

async fn list(presence: &Presence, kind: LeaseKind) -> Result<Vec<Held>, Broken> {
    Ok(presence.list(kind, None, 100).await?)
}

async fn a_new_store_has_no_leases(one: &Presence, _: &Presence) -> Result<(), Broken> {
    for kind in LeaseKind::ALL {
        let (count, list) = (one.count(kind, None).await?, list(one, kind).await?);
        ensure!(count == 0 && list.is_empty(), "{kind}: {count}, {list:?}");
    }
    let nothing = [key(LeaseKind::Task, "default", "none")?];
    one.release(ADA, &nothing).await?;
    ensure!(
        one.renew(&[]).await?.is_empty(),
        "an empty batch is refused"
    );
    Ok(())
}

async fn a_lease_is_seen_by_everybody(one: &Presence, other: &Presence) -> Result<(), Broken> {
    let lease = task("reindex", ADA, LONG)?.with_note("on host a")?;
    ensure!(
        one.renew(std::slice::from_ref(&lease)).await?.is_empty(),
        "refused"
    );
    let held = list(other, LeaseKind::Task).await?;
    let [held] = &held[..] else {
        return Err(broken(format!("{held:?}")));
    };
    let fits = held.key == *lease.key() && held.holder == ADA && held.note == "on host a";
    ensure!(fits, "{held:?}");
    ensure!(
        held.age < Duration::from_secs(5),
        "begun in the past: {held:?}"
    );
    let left = held.left <= LONG && held.left > LONG - Duration::from_secs(5);
    ensure!(left, "lasts {:?} of {LONG:?}", held.left);
    Ok(())
}

async fn a_lease_ends_by_itself(one: &Presence, other: &Presence) -> Result<(), Broken> {
    one.renew(&[task("short", ADA, SHORT)?]).await?;
    ensure!(other.count(LeaseKind::Task, None).await? == 1, "never seen");
    tokio::time::sleep(SHORT + LATE).await;
    let count = other.count(LeaseKind::Task, None).await?;
    let listed = list(other, LeaseKind::Task).await?;
    ensure!(
        count == 0 && listed.is_empty(),
        "still there: {count}, {listed:?}"
    );
    let taken = other.renew(&[task("short", BOB, LONG)?]).await?;
    ensure!(taken.is_empty(), "what has ended cannot be taken");
    Ok(())
}

async fn a_renewed_lease_lives_on_and_keeps_its_age(
    one: &Presence,
    other: &Presence,
) -> Result<(), Broken> {
    for _ in 0..6 {
        one.renew(&[task("kept", ADA, SHORT * 2)?.with_note("later")?])
            .await?;
        tokio::time::sleep(SHORT / 2).await;
    }
    let held = list(other, LeaseKind::Task).await?;
    let kept = held
        .first()
        .ok_or_else(|| broken("a renewed lease ended"))?;
    ensure!(kept.age >= SHORT * 2, "its age began anew: {kept:?}");
    ensure!(kept.note == "later", "{kept:?}");
    Ok(())
}

async fn a_lease_of_another_holder_is_left_alone(
    one: &Presence,
    other: &Presence,
) -> Result<(), Broken> {
    one.renew(&[task("mine", ADA, LONG)?.with_note("ada")?])
        .await?;
    let theirs = [
        task("mine", BOB, LONG)?.with_note("bob")?,
        task("free", BOB, LONG)?,
    ];
    let refused = other.renew(&theirs).await?;
    ensure!(refused == [theirs[0].key().clone()], "refused: {refused:?}");
    let held = list(one, LeaseKind::Task).await?;
    let mine = held.iter().find(|held| held.key.name.as_str() == "mine");
    let untouched = mine.is_some_and(|mine| mine.holder == ADA && mine.note == "ada");
    ensure!(untouched && held.len() == 2, "{held:?}");
    Ok(())
}

async fn one_of_many_takes_a_lease(one: &Presence, other: &Presence) -> Result<(), Broken> {
    for round in 0..10 {
        let name = format!("round-{round}");
        let takers = (1..=16_u128).map(|bits| {
            let presence = Arc::clone(if bits % 2 == 0 { one } else { other });
            let lease = task(&name, Holder::from_bits(bits), LONG);
            tokio::spawn(async move { Ok::<_, Broken>(presence.renew(&[lease?]).await?) })
        });
        let mut taken = 0;
        for taker in takers.collect::<Vec<_>>() {
            let refused = taker.await.map_err(|error| broken(error.to_string()))??;
            taken += usize::from(refused.is_empty());
        }
        ensure!(taken == 1, "round {round}: {taken} took it");
    }
    Ok(())
}

async fn everybody_renews_what_everybody_holds(
    one: &Presence,
    other: &Presence,
) -> Result<(), Broken> {
    let key = key(LeaseKind::Session, "shop", "4f9a")?;
    let session = Lease::new(key, Holder::EVERYBODY, LONG)?;
    for presence in [one, other, one] {
        let refused = presence.renew(std::slice::from_ref(&session)).await?;
        ensure!(refused.is_empty(), "refused");
    }
    let count = other.count(LeaseKind::Session, None).await?;
    ensure!(count == 1, "one session counts {count} times");
    Ok(())
}

async fn only_the_holder_releases(one: &Presence, other: &Presence) -> Result<(), Broken> {
    let lease = task("held", ADA, LONG)?;
    let keys = [lease.key().clone()];
    one.renew(&[lease]).await?;
    other.release(BOB, &keys).await?;
    ensure!(
        one.count(LeaseKind::Task, None).await? == 1,
        "somebody else ended it"
    );
    other.release(ADA, &keys).await?;
    ensure!(
        one.count(LeaseKind::Task, None).await? == 0,
        "the holder cannot end it"
    );
    Ok(())
}

async fn leases_are_counted_by_kind_and_site(
    one: &Presence,
    other: &Presence,
) -> Result<(), Broken> {
    let mut leases = Vec::new();
    for (kind, site, count) in [
        (LeaseKind::Session, "shop", 7),
        (LeaseKind::Session, "blog", 3),
        (LeaseKind::Task, "shop", 2),
        (LeaseKind::Instance, "default", 1),
    ] {
        for number in 0..count {
            let key = key(kind, site, &format!("n{number}"))?;
            leases.push(Lease::new(key, Holder::EVERYBODY, LONG)?);
        }
    }
    one.renew(&leases).await?;
    let site = |name: &str| name.parse::<SiteName>().ok();
    for (kind, of, expected) in [
        (LeaseKind::Session, None, 10),
        (LeaseKind::Session, site("shop"), 7),
        (LeaseKind::Session, site("blog"), 3),
        (LeaseKind::Session, site("other"), 0),
        (LeaseKind::Task, None, 2),
        (LeaseKind::Task, site("blog"), 0),
        (LeaseKind::Instance, None, 1),
        (LeaseKind::Owner, None, 0),
    ] {
        let count = other.count(kind, of.as_ref()).await?;
        let listed = other.list(kind, of.as_ref(), 100).await?.len() as u64;
        ensure!(
            count == expected && listed == expected,
            "{kind} of {of:?}: counted {count}, listed {listed}, there are {expected}"
        );
    }
    Ok(())
}

async fn lists_are_bounded_and_oldest_first(
    one: &Presence,
    other: &Presence,
) -> Result<(), Broken> {
    for name in ["first", "second", "third"] {
        one.renew(&[task(name, ADA, LONG)?]).await?;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    // Renewing does not make it younger.
    one.renew(&[task("first", ADA, LONG)?]).await?;
    let oldest = other.list(LeaseKind::Task, None, 2).await?;
    let names: Vec<&str> = oldest.iter().map(|held| held.key.name.as_str()).collect();
    ensure!(names == ["first", "second"], "{names:?}");
    Ok(())
}

async fn names_and_notes_come_back(one: &Presence, other: &Presence) -> Result<(), Broken> {
    let names = [
        "a.b*c>d",
        "';drop/**/table/**/x;--",
        "%_\\",
        "été/日本",
        "a:b|c{d}",
        "\"q\"",
    ];
    for name in names {
        let note = format!("{name}\n\t\u{1F980} {}", "x".repeat(1000));
        one.renew(&[task(name, ADA, LONG)?.with_note(note)?])
            .await?;
    }
    let held = list(other, LeaseKind::Task).await?;
    ensure!(
        held.len() == names.len(),
        "{} of {}",
        held.len(),
        names.len()
    );
    for name in names {
        let found = held.iter().find(|held| held.key.name.as_str() == name);
        let fits =
            found.is_some_and(|held| held.note.starts_with(&format!("{name}\n\t\u{1F980} ")));
        ensure!(fits, "{name}: {found:?}");
        other
            .release(ADA, &[key(LeaseKind::Task, "default", name)?])
            .await?;
    }
    ensure!(
        list(one, LeaseKind::Task).await?.is_empty(),
        "not all could be released"
    );
    Ok(())
}

async fn a_batch_of_ten_thousand_is_renewed(
    one: &Presence,
    other: &Presence,
) -> Result<(), Broken> {
    let mut batch = Vec::new();
    for number in 0..10_000 {
        let key = key(LeaseKind::Session, "shop", &format!("{number:032x}"))?;
        batch.push(Lease::new(key, Holder::EVERYBODY, LONG)?);
    }
    for _ in 0..2 {
        ensure!(one.renew(&batch).await?.is_empty(), "refused");
    }
    let count = other.count(LeaseKind::Session, None).await?;
    ensure!(count == 10_000, "{count} of 10000");
    Ok(())
}
