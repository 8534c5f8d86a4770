//! What a server refuses is told with the cure; and what it takes to be let in.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use maintenance_mode::backend::{BackendError, StateBackend};
use maintenance_mode::presence::LeaseKind;
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::backend_suite::records::{
    advance, after, create, expect, first, large,
};
use maintenance_mode_conformance::server::free_port;
use support::{Redis, ask, open};

/// What the crate's page tells an operator to give the user.
const RIGHTS: &str = include_str!("../rights.txt");

async fn says(backend: &dyn StateBackend, words: &str) {
    let read = backend.load().await.unwrap_err();
    let written = create(backend).await.unwrap_err();
    for error in [read, written] {
        let text = error.to_string();
        let is_unavailable = matches!(error, BackendError::Unavailable { .. });
        assert!(is_unavailable && text.contains(words), "{text}");
        assert!(!text.contains("hunter2"), "a password is shown: {text}");
    }
}

#[tokio::test]
async fn nobody_there_is_told_at_once() -> Result<(), Broken> {
    let backend = open(&format!("redis://127.0.0.1:{}/", free_port()?))?;
    says(&*backend, "nothing listens there").await;
    let subscribed = backend.subscribe().await.unwrap_err().to_string();
    assert!(subscribed.contains("nothing listens there"), "{subscribed}");
    Ok(())
}

#[tokio::test]
async fn passwords_are_asked_for_and_checked() -> Result<(), Broken> {
    let redis = Redis::start(&["--requirepass", "hunter1"])?;
    let at = redis.port();
    for protocol in ["", "?protocol=3"] {
        says(&*redis.open(protocol)?, "asks for a password").await;
        let wrong = open(&format!("redis://:hunter2@127.0.0.1:{at}/{protocol}"))?;
        says(&*wrong, "the password is wrong").await;
        let right = open(&format!("redis://:hunter1@127.0.0.1:{at}/{protocol}"))?;
        assert_eq!(right.load().await?, None);
    }
    let none = Redis::start(&[])?;
    let too_much = open(&format!("redis://:hunter2@127.0.0.1:{}/", none.port()))?;
    says(&*too_much, "or the server has none").await;
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() -> Result<(), Broken> {
    let redis = Redis::start(&[])?;
    let backend = open(&format!("redis://127.0.0.1:{}/99", redis.port()))?;
    says(&*backend, "no database of this number").await;
    Ok(())
}

#[tokio::test]
async fn the_documented_rights_are_enough_and_fewer_are_told() -> Result<(), Broken> {
    let redis = Redis::start(&[])?;
    let rights: Vec<&str> = RIGHTS.split_whitespace().collect();
    redis.command(
        &[
            &["ACL", "SETUSER", "site", "on", ">hunter2"][..],
            &rights[..],
        ]
        .concat(),
    )?;
    let url = format!("redis://site:hunter2@127.0.0.1:{}/", redis.port());
    let backend = open(&url)?;
    let mut hints = backend.subscribe().await?;
    let state = create(&*backend).await?;
    let hinted = tokio::time::timeout(Duration::from_secs(1), hints.next());
    assert_eq!(hinted.await.unwrap(), Some(()));
    let state = advance(&*backend, &state).await?;
    expect(&*backend, &state).await?;
    assert!(backend.repair(&first()).await?.is_some());
    let presence = backend.presence()?;
    presence
        .renew(&[support::session("a", Some("note"))])
        .await?;
    presence.renew(&[support::session("a", None)]).await?;
    assert_eq!(presence.count(LeaseKind::Session, None).await?, 1);
    assert_eq!(presence.list(LeaseKind::Session, None, 9).await?.len(), 1);
    let session = support::session("a", None);
    presence
        .release(session.holder(), &[session.key().clone()])
        .await?;
    assert_eq!(presence.count(LeaseKind::Session, None).await?, 0);

    redis.command(&["ACL", "SETUSER", "site", "-eval", "-exists"])?;
    let refused = backend.load().await.unwrap_err().to_string();
    assert!(refused.contains("give this user the rights"), "{refused}");
    let refused = backend.repair(&first()).await.unwrap_err().to_string();
    assert!(refused.contains("give this user the rights"), "{refused}");
    redis.command(&["ACL", "SETUSER", "site", "resetchannels"])?;
    let refused = open(&url)?.subscribe().await.unwrap_err().to_string();
    assert!(refused.contains("give this user the rights"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_change_counts_although_it_may_not_be_announced() -> Result<(), Broken> {
    let redis = Redis::start(&[])?;
    redis.command(&[
        "ACL",
        "SETUSER",
        "mute",
        "on",
        ">x",
        "~*",
        "+@all",
        "resetchannels",
    ])?;
    let backend = open(&format!("redis://mute:x@127.0.0.1:{}/", redis.port()))?;
    let state = create(&*backend).await?;
    expect(&*redis.open("")?, &state).await
}

#[tokio::test]
async fn a_replica_is_read_and_not_written() -> Result<(), Broken> {
    let primary = Redis::start(&[])?;
    let state = create(&*primary.open("")?).await?;
    let of = primary.port().to_string();
    let replica = Redis::start(&["--replicaof", "127.0.0.1", &of])?;
    let backend = replica.open("")?;
    until(|| async { matches!(backend.load().await, Ok(Some(_))) }).await;
    expect(&*backend, &state).await?;
    let refused = advance(&*backend, &state).await.unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("this server is a replica"), "{text}");
    assert!(matches!(refused, BackendError::Unavailable { .. }));

    // A replica that has a change confirms it; two cannot, where there is one.
    let state = advance(&*primary.open("?wait=1")?, &state).await?;
    expect(&*backend, &state).await?;
    let unknown = advance(&*primary.open("?wait=2")?, &state).await;
    let text = unknown.as_ref().unwrap_err().to_string();
    assert!(
        matches!(unknown, Err(BackendError::Unknown { .. })) && text.contains("1 of 2 replicas"),
        "{text}"
    );
    expect(&*primary.open("")?, &after(&state)).await
}

/// Waits until something is so, ten seconds at most.
async fn until<F: Future<Output = bool>>(so: impl Fn() -> F) {
    for _ in 0..200 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come");
}

#[tokio::test]
async fn a_full_server_refuses_and_keeps_the_record() -> Result<(), Broken> {
    let redis = Redis::start(&[])?;
    let backend = redis.open("")?;
    let state = create(&*backend).await?;
    redis.command(&["CONFIG", "SET", "maxmemory", "1"])?;
    let mut next = large()?;
    (next.epoch, next.revision) = (state.epoch, 2);
    let refused = backend.compare_and_set(Some(state.version()), &next).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("memory is full"), "{text}");
    expect(&*backend, &state).await
}

#[tokio::test]
async fn a_server_that_cannot_save_refuses() -> Result<(), Broken> {
    let redis = Redis::start(&["--save", "3600 1", "--enable-protected-configs", "yes"])?;
    let backend = redis.open("")?;
    let state = create(&*backend).await?;
    let missing = redis.folder().join("missing");
    std::fs::create_dir(&missing)?;
    redis.command(&["CONFIG", "SET", "dir", missing.to_str().unwrap()])?;
    std::fs::remove_dir(&missing)?;
    redis.command(&["BGSAVE"])?;
    until(|| async {
        let info = redis.command(&["INFO", "persistence"]).unwrap();
        let info: String = redis::from_redis_value(info).unwrap();
        info.contains("rdb_last_bgsave_status:err")
    })
    .await;
    let refused = advance(&*backend, &state).await.unwrap_err();
    assert!(matches!(refused, BackendError::Unavailable { .. }));
    let text = refused.to_string();
    assert!(text.contains("cannot save its data"), "{text}");
    expect(&*backend, &state).await
}

#[tokio::test]
async fn another_programs_key_is_neither_read_as_off_nor_written_over() -> Result<(), Broken> {
    let redis = Redis::start(&[])?;
    redis.command(&["HSET", "maintenance-mode", "a", "b"])?;
    let backend = redis.open("")?;
    let unreadable = backend.load().await.unwrap_err();
    let text = unreadable.to_string();
    assert!(
        matches!(unreadable, BackendError::Unreadable { .. }) && text.contains("holds a hash"),
        "{text}"
    );
    let refused = create(&*backend).await.unwrap_err();
    assert!(matches!(refused, BackendError::Unreadable { .. }));
    let sentence = backend.repair(&first()).await?.unwrap();
    let key = sentence.rsplit(' ').next().unwrap();
    let kept = redis.command(&["HGET", key, "a"])?;
    assert_eq!(kept, redis::Value::BulkString(b"b".to_vec()));
    Ok(())
}

#[tokio::test]
async fn a_flushed_server_was_never_configured() -> Result<(), Broken> {
    let redis = Redis::start(&[])?;
    let backend = redis.open("")?;
    let state = create(&*backend).await?;
    redis.command(&["FLUSHALL"])?;
    assert_eq!(backend.load().await?, None);
    let late = advance(&*backend, &state).await;
    assert!(matches!(late, Err(BackendError::Conflict(None))));
    create(&*backend).await?;
    Ok(())
}

#[tokio::test]
async fn a_cluster_sends_us_to_the_node_with_the_key_and_says_when_it_is_down() -> Result<(), Broken>
{
    let nodes = [
        Redis::start(&["--cluster-enabled", "yes"])?,
        Redis::start(&["--cluster-enabled", "yes"])?,
    ];
    says(&*nodes[0].open("")?, "the cluster is not whole").await;
    let slot = nodes[0].command(&["CLUSTER", "KEYSLOT", "maintenance-mode"])?;
    let slot: u32 = redis::from_redis_value(slot).unwrap();
    // The second node has the one slot with the key, and the first all others.
    let (one, before, next) = (
        slot.to_string(),
        (slot - 1).to_string(),
        (slot + 1).to_string(),
    );
    nodes[0].command(&["CLUSTER", "ADDSLOTSRANGE", "0", &before, &next, "16383"])?;
    nodes[1].command(&["CLUSTER", "ADDSLOTS", &one])?;
    let other = nodes[1].port().to_string();
    nodes[0].command(&["CLUSTER", "MEET", "127.0.0.1", &other])?;
    for node in &nodes {
        until(|| async {
            let info = ask(node.port(), &["CLUSTER", "INFO"]).unwrap();
            let info: String = redis::from_redis_value(info).unwrap();
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:2")
        })
        .await;
    }
    let backend = nodes[0].open("")?;
    let mut hints = backend.subscribe().await?;
    let state = create(&*backend).await?;
    let hinted = tokio::time::timeout(Duration::from_secs(2), hints.next());
    assert_eq!(hinted.await.unwrap(), Some(()));
    let state = advance(&*nodes[1].open("")?, &state).await?;
    expect(&*nodes[0].open("")?, &state).await?;
    let presence = nodes[0].open("")?.presence()?;
    presence.renew(&[support::session("a", None)]).await?;
    assert_eq!(presence.count(LeaseKind::Session, None).await?, 1);
    let there = redis::Value::Int(1);
    assert_eq!(nodes[1].command(&["EXISTS", "maintenance-mode"])?, there);
    Ok(())
}
