//! PostgreSQL: the suites, rights, refusals, and a live site while the server is dead.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use maintenance_mode::backend::{BackendError, StateBackend};
use maintenance_mode::{Config, Facts, Maintenance, Mode, Off, On, SiteName};
use maintenance_mode_conformance::backend_suite::records::{after, create, first, large};
use maintenance_mode_conformance::backend_suite::{self, Broken, Harness, broken};
use maintenance_mode_conformance::{ensure, presence_suite};
use maintenance_mode_sql::{Dialect, schema_sql};

use crate::process;
use crate::store::{Database, Store};
use maintenance_mode_conformance::databases::{PASSWORD, Postgres};

fn database() -> Result<Database, Broken> {
    Ok(Database::Postgres(Arc::new(Postgres::new()?)))
}

fn server(database: &Database) -> &Postgres {
    match database {
        Database::Postgres(server) => server,
        Database::MariaDb(_) | Database::Sqlite(_) => unreachable!(),
    }
}

pub(crate) fn open(url: &str) -> Arc<dyn StateBackend> {
    maintenance_mode_sql::open(&url.parse().unwrap(), Path::new(".")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise() -> Result<(), Broken> {
    let report = backend_suite::run(&database()?).await?;
    print!("{report}");
    assert_eq!(report.kept.len(), 23, "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise_of_presence() -> Result<(), Broken> {
    let database = database()?;
    presence_suite::run(|| database.place()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_processes_may_start_at_the_same_time() -> Result<(), Broken> {
    process::sixteen_begin(&database()?.store()).await
}

/// Fails unless the refusal has each of the words, and none of the secrets.
async fn refuses(url: &str, words: &[&str]) {
    let error = open(url).load().await.unwrap_err();
    assert!(
        matches!(error, BackendError::Unavailable { .. }),
        "{error:?}"
    );
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "no `{word}` in: {text}");
    }
    assert!(
        !text.contains(PASSWORD) && !text.contains("wr0ng"),
        "{text}"
    );
}

#[tokio::test]
async fn refusals_say_what_is_wrong_and_what_helps() -> Result<(), Broken> {
    let database = database()?;
    let port = server(&database).port();
    let at = |who: &str, place: &str| format!("postgres://{who}@127.0.0.1:{place}");
    let place = format!("{port}/postgres");
    refuses(
        &at("postgres:wr0ng", &place),
        &["refuses this user", "check user and password"],
    )
    .await;
    let nowhere = format!("{port}/nowhere");
    refuses(
        &at(&format!("postgres:{PASSWORD}"), &nowhere),
        &["no such database", "nowhere"],
    )
    .await;
    let began = Instant::now();
    refuses(&at("u:wr0ng", "1/postgres"), &["cannot be reached"]).await;
    // Nobody is there who would even refuse (RFC 5737).
    refuses(
        "postgres://u@192.0.2.1/d?connect_timeout=500ms",
        &["cannot be reached"],
    )
    .await;
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    let strict = format!("{}?sslmode=require", server(&database).url("postgres"));
    refuses(&strict, &["do not agree on encryption", "sslmode"]).await;
    server(&database).admits("hostssl all all 127.0.0.1/32 scram-sha-256\n")?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    refuses(
        &server(&database).url("postgres"),
        &["do not agree on encryption", "sslmode"],
    )
    .await;
    Ok(())
}

/// A user with the rights that the statements give.
async fn user(store: &Store, name: &str, rights: &[&str]) -> Result<String, Broken> {
    store
        .ask(&format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'"))
        .await?;
    for right in rights {
        store.ask(&right.replace("USER", name)).await?;
    }
    let url = store
        .url
        .replace("postgres:s3cr3t", &format!("{name}:s3cr3t"));
    Ok(url)
}

#[tokio::test]
async fn missing_rights_are_told_from_missing_tables() -> Result<(), Broken> {
    let database = database()?;
    let store = database.store();
    let poor = open(&user(&store, "poor", &[]).await?);
    let error = poor.load().await.unwrap_err().to_string();
    for word in [
        "the tables are missing and cannot be made by this user",
        &format!("CREATE TABLE IF NOT EXISTS {}state (", store.prefix),
        "GRANT SELECT, INSERT, UPDATE, DELETE ON",
    ] {
        assert!(error.contains(word), "no `{word}` in: {error}");
    }
    // The owner runs what the error says, in one go.
    let sql = schema_sql(Dialect::Postgres, &store.prefix.parse().unwrap());
    for statement in sql.split(";\n").filter(|statement| !statement.is_empty()) {
        store.ask(statement).await?;
    }
    store
        .ask("GRANT SELECT ON #migration, #state TO poor")
        .await?;
    assert!(
        matches!(poor.load().await, Ok(None)),
        "reading is allowed now"
    );
    let error = poor
        .compare_and_set(None, &first())
        .await
        .unwrap_err()
        .to_string();
    let words = error.contains("may not do this") && error.contains("GRANT SELECT, INSERT");
    assert!(words && !error.contains("tables are missing"), "{error}");
    let grants = [
        "GRANT SELECT, INSERT, UPDATE, DELETE ON #migration, #state, #kept, #site, #window, #exemption, #change, #lease TO USER",
    ];
    let enough = open(&user(&store, "enough", &grants).await?);
    let state = create(&*enough).await?;
    assert!(enough.repair(&first()).await?.is_some());
    assert!(enough.presence()?.renew(&[]).await?.is_empty());
    assert!(matches!(
        enough
            .compare_and_set(Some(state.version()), &after(&state))
            .await,
        Err(BackendError::Conflict(_))
    ));
    Ok(())
}

#[tokio::test]
async fn a_standby_is_not_believed() -> Result<(), Broken> {
    let database = database()?;
    let store = database.store();
    let backend = store.backend();
    let state = create(&*backend).await?;
    // A user whose transactions only read by default does no harm: each of ours says that it writes.
    let reads = store.url.clone() + "&options=-c%20default_transaction_read_only%3Don";
    let next = after(&state);
    open(&reads)
        .compare_and_set(Some(state.version()), &next)
        .await?;
    server(&database).become_standby()?;
    for backend in [backend, store.backend()] {
        let error = backend.load().await.unwrap_err();
        assert!(matches!(error, BackendError::Unavailable { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("name the primary"), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn tables_of_a_later_version_are_left_alone() -> Result<(), Broken> {
    let database = database()?;
    let store = database.store();
    create(&*store.backend()).await?;
    store.ask("UPDATE #migration SET version = 99").await?;
    let error = store.backend().load().await.unwrap_err().to_string();
    assert!(
        error.contains("99") && error.contains("upgrade this program"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn columns_that_were_edited_by_hand_are_noticed() -> Result<(), Broken> {
    let database = database()?;
    let store = database.store();
    let state = create(&*store.backend()).await?;
    store.ask("UPDATE #state SET revision = 7").await?;
    let error = store.backend().load().await.unwrap_err();
    assert!(matches!(error, BackendError::Unreadable { .. }), "{error}");
    store.ask("UPDATE #state SET revision = 1").await?;
    // The other tables mirror the record; editing them changes nothing.
    store.ask("UPDATE #site SET mode = 'online'").await?;
    assert_eq!(store.backend().load().await?, Some(state));
    Ok(())
}

#[tokio::test]
async fn dropped_tables_are_not_off_for_whoever_knew_them() -> Result<(), Broken> {
    let database = database()?;
    let store = database.store();
    let backend = store.backend();
    create(&*backend).await?;
    store.ask("DROP TABLE #state, #migration").await?;
    let error = backend.load().await.unwrap_err();
    assert!(matches!(error, BackendError::Vanished { .. }), "{error}");
    backend.repair(&first()).await?;
    assert!(backend.load().await?.is_some());
    Ok(())
}

#[tokio::test]
async fn the_record_can_be_joined_with() -> Result<(), Broken> {
    let database = database()?;
    let store = database.store();
    let backend = store.backend();
    let mut state = large()?;
    let exemptions = &mut state.site_mut(&SiteName::default()).exemptions;
    exemptions.paths.push("/robots.txt".to_owned());
    exemptions.addresses.push("192.0.2.0/24".to_owned());
    backend.compare_and_set(None, &state).await?;
    for (sql, expected) in [
        (
            "SELECT COUNT(*) FROM #site WHERE name = 'default' AND mode = 'offline'",
            1,
        ),
        (
            "SELECT COUNT(*) FROM #window WHERE mode = 'read_only' AND enabled",
            200,
        ),
        (
            "SELECT COUNT(*) FROM #window WHERE ends_at - starts_at = interval '59.999 seconds'",
            200,
        ),
        (
            "SELECT COUNT(*) FROM #change c JOIN #site s ON s.name = c.site WHERE c.action = 'mode'",
            100,
        ),
        (
            "SELECT COUNT(*) FROM #exemption WHERE kind = 'path' AND value = '/robots.txt'",
            1,
        ),
        ("SELECT COUNT(*) FROM #exemption", 2),
        (
            "SELECT COUNT(*) FROM #state WHERE revision = 1 AND updated_at > now() - interval '1 minute'",
            1,
        ),
    ] {
        assert_eq!(store.ask(sql).await?, expected, "{sql}");
    }
    let mut next = after(&state);
    next.sites.clear();
    backend
        .compare_and_set(Some(state.version()), &next)
        .await?;
    assert_eq!(store.ask("SELECT COUNT(*) FROM #window").await?, 0);
    assert_eq!(store.ask("SELECT COUNT(*) FROM #change").await?, 100);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_answer_is_unknown() -> Result<(), Broken> {
    let database = database()?;
    let store = database.store();
    let backend = store.backend();
    let state = create(&*backend).await?;
    // The commit waits for this trigger, longer than the server may be dead.
    store.ask("CREATE FUNCTION wait_long() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(10); RETURN NULL; END $$").await?;
    store.ask("CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON #state DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_long()").await?;
    let next = after(&state);
    let write = backend.compare_and_set(Some(state.version()), &next);
    let kill = async {
        tokio::time::sleep(Duration::from_millis(1000)).await;
        server(&database).kill()
    };
    let (written, killed) = tokio::join!(write, kill);
    killed?;
    let error = written.unwrap_err();
    assert!(matches!(error, BackendError::Unknown { .. }), "{error:?}");
    server(&database).start()?;
    Ok(())
}

/// Waits until the site is in this mode, as a request sees it.
async fn decided(live: &Maintenance, mode: Mode, within: Duration) -> Result<Duration, Broken> {
    let began = Instant::now();
    loop {
        if live.decide(&Facts::new("GET", "/")).is_allowed() == (mode == Mode::Online) {
            return Ok(began.elapsed());
        }
        ensure!(began.elapsed() < within, "not {mode} within {within:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A live site on this backend, which polls so seldom that it depends on hints.
async fn live(store: &Store) -> Result<Maintenance, Broken> {
    let live = Maintenance::builder(Config::new())
        .backend(store.backend())
        .start()
        .await;
    live.map_err(|error| broken(error.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_keeps_its_state_while_the_server_is_dead() -> Result<(), Broken> {
    let database = database()?;
    let store = database.store();
    let (site, other) = (live(&store).await?, live(&store).await?);
    let default = [SiteName::default()];
    let fail = |error: maintenance_mode::live::ControlError| broken(error.to_string());
    other.on(&default, &On::default()).await.map_err(fail)?;
    let took = decided(&site, Mode::Offline, Duration::from_secs(2)).await?;
    println!("closed after {took:?}");
    server(&database).kill()?;
    let dead = Instant::now();
    while dead.elapsed() < Duration::from_secs(4) {
        ensure!(
            !site.decide(&Facts::new("GET", "/")).is_allowed(),
            "the site opened while its server was dead"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server(&database).start()?;
    // Another instance opens the site as soon as it can; the first sees it without being told.
    let back = Instant::now();
    let control = live(&store).await?;
    control.off(&default, &Off::default()).await.map_err(fail)?;
    let left = Duration::from_secs(2).saturating_sub(back.elapsed());
    decided(&site, Mode::Online, left).await?;
    println!("opened {:?} after the server's return", back.elapsed());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_leases_that_ended_are_removed_by_renewals() -> Result<(), Broken> {
    use maintenance_mode::presence::{Holder, Lease, LeaseKey, LeaseKind};
    let database = database()?;
    let store = database.store();
    let presence = store.backend().presence()?;
    let lease = |name: String, lasts| {
        let key = LeaseKey {
            kind: LeaseKind::Session,
            site: SiteName::default(),
            name: name.parse().unwrap(),
        };
        Lease::new(key, Holder::EVERYBODY, Duration::from_secs(lasts)).unwrap()
    };
    let short: Vec<_> = (0..1000).map(|n| lease(format!("n{n}"), 1)).collect();
    presence.renew(&short).await?;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(store.ask("SELECT COUNT(*) FROM #lease").await?, 1000);
    presence.renew(&[lease("one".to_owned(), 60)]).await?;
    assert_eq!(store.ask("SELECT COUNT(*) FROM #lease").await?, 1);
    Ok(())
}
