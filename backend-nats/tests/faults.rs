//! A server that dies, freezes or forgets; a bucket that is lost or foreign.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use maintenance_mode::backend::{BackendError, StateBackend};
use maintenance_mode::presence::{Holder, Lease, LeaseKey, LeaseKind};
use maintenance_mode::state::Message;
use maintenance_mode::{Config, Facts, Maintenance, Off, On, SiteName};
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::backend_suite::records::{
    advance, after, create, expect, first, large,
};
use serde_json::{Value, json};
use support::Nats;
use tokio::time::{sleep, timeout};

/// Asks JetStream's API behind the backend's back.
async fn api(nats: &Nats, verb: &str, body: Value) -> Value {
    let subject = format!("$JS.API.{verb}");
    let client = nats.client().await;
    let answer = client
        .request(subject, body.to_string().into())
        .await
        .unwrap();
    serde_json::from_slice(&answer.payload).unwrap()
}

async fn reached(backend: &dyn StateBackend, within: Duration) -> Duration {
    let began = Instant::now();
    while let Err(error) = backend.load().await {
        assert!(began.elapsed() < within, "{error}");
        sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

/// What async-nats #1596 was: a watch that nobody polled while the server was away hung for ever after.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_nobody_polls_during_a_restart_ends() -> Result<(), Broken> {
    let nats = Nats::new();
    let (listener, writer) = (nats.open(""), nats.open(""));
    let state = create(&*writer).await?;
    for pause in [0, 500, 3000] {
        let mut hints = listener.subscribe().await?;
        nats.kill();
        sleep(Duration::from_millis(pause)).await;
        nats.start();
        sleep(Duration::from_millis(300)).await;
        let ended = timeout(Duration::from_secs(1), async {
            while hints.next().await.is_some() {}
        });
        assert!(
            ended.await.is_ok(),
            "it hangs after {pause} ms without a server"
        );
        reached(&*listener, Duration::from_secs(2)).await;
    }
    let mut hints = listener.subscribe().await?;
    reached(&*writer, Duration::from_secs(2)).await;
    let newer = advance(&*writer, &state).await?;
    let hint = timeout(Duration::from_millis(250), hints.next()).await;
    assert_eq!(hint, Ok(Some(())));
    expect(&*listener, &newer).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_ends_the_watch_and_bounds_every_call() -> Result<(), Broken> {
    let nats = Nats::new();
    let (listener, writer) = (nats.open(""), nats.open("timeout=1"));
    let state = create(&*writer).await?;
    let mut hints = listener.subscribe().await?;
    nats.signal("STOP");
    let began = Instant::now();
    let read = writer.load().await;
    assert!(
        matches!(read, Err(BackendError::Unavailable { .. })),
        "{read:?}"
    );
    assert!(
        began.elapsed() < Duration::from_millis(1500),
        "{:?}",
        began.elapsed()
    );
    let ended = timeout(Duration::from_secs(6), async {
        while hints.next().await.is_some() {}
    });
    assert!(ended.await.is_ok(), "a silent server is not found out");
    let began = Instant::now();
    let written = writer
        .compare_and_set(Some(state.version()), &after(&state))
        .await;
    assert!(
        matches!(written, Err(BackendError::Unavailable { .. })),
        "{written:?}"
    );
    assert!(
        began.elapsed() < Duration::from_millis(2500),
        "{:?}",
        began.elapsed()
    );
    nats.signal("CONT");
    reached(&*writer, Duration::from_secs(2)).await;
    expect(&*listener, &state).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_of_unknown_outcome() -> Result<(), Broken> {
    let nats = Arc::new(Nats::new());
    let writer = nats.open("timeout=0.5");
    let mut state = create(&*writer).await?;
    let mut unknown = 0;
    for round in 0..20_u64 {
        let freeze = Arc::clone(&nats);
        let frozen = tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_micros(200 + 73 * round));
            freeze.signal("STOP");
            std::thread::sleep(Duration::from_millis(700));
            freeze.signal("CONT");
        });
        let failure = loop {
            let next = after(&state);
            match writer.compare_and_set(Some(state.version()), &next).await {
                Ok(()) => state = next,
                Err(error) => break error,
            }
        };
        frozen.await.unwrap();
        reached(&*writer, Duration::from_secs(3)).await;
        let found = writer.load().await?.unwrap();
        match failure {
            BackendError::Unknown { .. } => {
                unknown += 1;
                assert!(found == state || found.revision == state.revision + 1);
            }
            BackendError::Unavailable { .. } => assert_eq!(found, state, "{failure}"),
            other => panic!("{other}"),
        }
        state = found;
        if unknown > 2 {
            return Ok(());
        }
    }
    panic!("only {unknown} writes of unknown outcome in 20 rounds");
}

/// Decides again and again until told to stop, and counts what came out.
fn deciding(
    maintenance: &Maintenance,
    stop: &Arc<AtomicBool>,
) -> (Arc<AtomicU64>, Arc<AtomicU64>, std::thread::JoinHandle<()>) {
    let (open, closed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let counts = (Arc::clone(&open), Arc::clone(&closed));
    let (maintenance, stop) = (maintenance.clone(), Arc::clone(stop));
    let thread = std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let allowed = maintenance.decide(&Facts::new("GET", "/")).is_allowed();
            let count = if allowed { &counts.0 } else { &counts.1 };
            count.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_micros(200));
        }
    });
    (open, closed, thread)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_switch_keeps_the_last_state_while_the_server_is_away() -> Result<(), Broken> {
    let nats = Nats::new();
    let mut config = Config::new();
    config.state.poll_seconds = 1.0;
    let start = || async {
        let builder = Maintenance::builder(config.clone()).backend(nats.open(""));
        builder.start().await.unwrap()
    };
    let (maintenance, operator) = (start().await, start().await);
    let sites = [SiteName::default()];
    operator.on(&sites, &On::default()).await.unwrap();
    let is_open = || maintenance.decide(&Facts::new("GET", "/")).is_allowed();
    let began = Instant::now();
    while is_open() {
        assert!(
            began.elapsed() < Duration::from_millis(250),
            "the hint did not come"
        );
        sleep(Duration::from_millis(1)).await;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let (open, closed, thread) = deciding(&maintenance, &stop);
    nats.kill();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(
        open.load(Ordering::Relaxed),
        0,
        "open while the server is away"
    );
    assert!(closed.load(Ordering::Relaxed) > 1000);
    nats.start();
    let returned = Instant::now();
    while operator.off(&sites, &Off::default()).await.is_err() {
        assert!(
            returned.elapsed() < Duration::from_secs(2),
            "the operator cannot switch"
        );
        sleep(Duration::from_millis(20)).await;
    }
    while !is_open() {
        assert!(
            returned.elapsed() < Duration::from_secs(2),
            "not followed in time"
        );
        sleep(Duration::from_millis(5)).await;
    }
    println!(
        "followed {:?} after the server's return",
        returned.elapsed()
    );
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    assert_eq!(maintenance.status().error, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_first_starts_at_the_same_time_all_succeed() -> Result<(), Broken> {
    let nats = Nats::new();
    for round in 0..5 {
        let starts = (0..16).map(|_| {
            let backend = nats.open(&format!("bucket=race{round}"));
            tokio::spawn(async move {
                let hints = backend.subscribe().await?;
                let read = backend.load().await?;
                let presence = backend.presence()?;
                let count = presence.count(LeaseKind::Instance, None).await?;
                Ok::<_, Broken>((hints, read, count))
            })
        });
        for start in starts.collect::<Vec<_>>() {
            let (_hints, read, count) = start.await.unwrap()?;
            assert!(read.is_none() && count == 0);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_purged_has_vanished() -> Result<(), Broken> {
    let nats = Nats::new();
    let backend = nats.open("");
    create(&*backend).await?;
    let purge = json!({ "filter": "$KV.maintenance-mode.state" });
    api(&nats, "STREAM.PURGE.KV_maintenance-mode", purge).await;
    for backend in [backend, nats.open("")] {
        let read = backend.load().await;
        assert!(
            matches!(read, Err(BackendError::Vanished { .. })),
            "{read:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_was_removed_is_a_loss_for_whoever_has_read() -> Result<(), Broken> {
    let nats = Nats::new();
    let (reader, writer) = (nats.open(""), nats.open(""));
    let state = create(&*writer).await?;
    expect(&*reader, &state).await?;
    let mut hints = reader.subscribe().await?;
    api(&nats, "STREAM.DELETE.KV_maintenance-mode", json!({})).await;
    let ended = timeout(Duration::from_secs(6), async {
        while hints.next().await.is_some() {}
    });
    assert!(
        ended.await.is_ok(),
        "the watch on a removed bucket does not end"
    );
    for _ in 0..2 {
        let read = reader.load().await;
        assert!(
            matches!(read, Err(BackendError::Vanished { .. })),
            "{read:?}"
        );
        let write = writer
            .compare_and_set(Some(state.version()), &after(&state))
            .await;
        assert!(
            matches!(write, Err(BackendError::Vanished { .. })),
            "{write:?}"
        );
        // A watch must not make an empty bucket, which new instances would take for a new beginning.
        let watch = reader.subscribe().await.err();
        assert!(
            matches!(watch, Some(BackendError::Vanished { .. })),
            "{watch:?}"
        );
    }
    writer.repair(&first()).await?;
    assert!(reader.load().await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_whose_entries_expire_is_refused() -> Result<(), Broken> {
    let nats = Nats::new();
    let config = json!({
        "name": "KV_cache", "subjects": ["$KV.cache.>"], "retention": "limits", "storage": "file",
        "discard": "new", "max_msgs_per_subject": 1, "max_age": 60_000_000_000_u64, "num_replicas": 1,
        "max_consumers": -1, "max_msgs": -1, "max_bytes": -1,
    });
    let made = api(&nats, "STREAM.CREATE.KV_cache", config).await;
    assert!(made["error"].is_null(), "{made}");
    let error = create(&*nats.open("bucket=cache"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("nats stream edit KV_cache --max-age=0"),
        "{error}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_larger_than_the_server_takes_is_refused_with_the_cure() -> Result<(), Broken> {
    let nats = Nats::configured("max_payload: 100000\n");
    let backend = nats.open("");
    let state = create(&*backend).await?;
    let mut next = after(&state);
    for number in 0..30 {
        let name: SiteName = format!("site-{number}").parse().unwrap();
        next.site_mut(&name).message = Some(Message::new("x".repeat(4000)).unwrap());
    }
    let error = backend
        .compare_and_set(Some(state.version()), &next)
        .await
        .unwrap_err();
    assert!(matches!(error, BackendError::Unavailable { .. }), "{error}");
    assert!(
        error.to_string().contains("raise its `max_payload`"),
        "{error}"
    );
    expect(&*backend, &state).await?;
    let error = nats
        .open("bucket=other")
        .compare_and_set(None, &large()?)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("(100000 bytes)"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_outlive_the_server_and_those_that_ended_are_removed() -> Result<(), Broken> {
    let nats = Nats::new();
    let presence = nats.open("").presence()?;
    let lease = |name: &str, seconds| {
        let key = LeaseKey {
            kind: LeaseKind::Owner,
            site: SiteName::default(),
            name: name.parse().unwrap(),
        };
        Lease::new(key, Holder::from_bits(1), Duration::from_secs(seconds)).unwrap()
    };
    presence
        .renew(&[lease("kept", 60), lease("short", 1)])
        .await?;
    nats.kill();
    assert!(
        presence.count(LeaseKind::Owner, None).await.is_err(),
        "zero without a server"
    );
    nats.start();
    let count = presence.count(LeaseKind::Owner, None).await?;
    assert!((1..=2).contains(&count), "{count}");
    // The entry of a lease stays for a while after the lease's end, and then whoever counts removes it.
    let entries = || async {
        let info = api(&nats, "STREAM.INFO.KV_maintenance-mode-presence", json!({})).await;
        info["state"]["messages"].as_u64().unwrap()
    };
    assert_eq!(entries().await, 3, "two leases and the clock");
    sleep(Duration::from_secs(12)).await;
    assert_eq!(presence.count(LeaseKind::Owner, None).await?, 1);
    sleep(Duration::from_millis(300)).await;
    assert_eq!(entries().await, 2, "one lease and the clock");
    assert_eq!(presence.count(LeaseKind::Owner, None).await?, 1);
    Ok(())
}
