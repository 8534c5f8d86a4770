//! MariaDB, as MySQL: the suites, rights and refusals.

use std::sync::Arc;

use maintenance_mode::SiteName;
use maintenance_mode::backend::BackendError;
use maintenance_mode_conformance::backend_suite::records::{first, large};
use maintenance_mode_conformance::backend_suite::{self, Broken, Harness};
use maintenance_mode_conformance::presence_suite;

use crate::postgres::open;
use crate::process;
use crate::store::Database;
use maintenance_mode_conformance::databases::{MariaDb, PASSWORD};

fn database() -> Result<Database, Broken> {
    Ok(Database::MariaDb(Arc::new(MariaDb::new()?)))
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

#[tokio::test]
async fn refusals_say_what_is_wrong_and_what_helps() -> Result<(), Broken> {
    let database = database()?;
    let store = database.store();
    let Database::MariaDb(server) = &database else {
        unreachable!();
    };
    let port = server.port();
    store
        .ask(&format!("CREATE USER poor IDENTIFIED BY '{PASSWORD}'"))
        .await?;
    store.ask("CREATE TABLE something (id INT)").await?;
    store.ask("GRANT SELECT ON site.something TO poor").await?;
    for (url, words) in [
        (
            format!("mysql://site:wr0ng@127.0.0.1:{port}/site"),
            ["refuses this user", "check user and password"],
        ),
        (
            format!("mysql://site:{PASSWORD}@127.0.0.1:{port}/nowhere"),
            ["may not do this", "nowhere"],
        ),
        (
            format!("mysql://site:{PASSWORD}@127.0.0.1:1/site"),
            ["cannot be reached", "check host and port"],
        ),
        (
            format!("mysql://poor:{PASSWORD}@127.0.0.1:{port}/site"),
            ["cannot be made by this user", "CREATE TABLE IF NOT EXISTS"],
        ),
        (
            format!("mysql://site:{PASSWORD}@127.0.0.1:{port}/site?ssl-mode=REQUIRED"),
            ["do not agree on encryption", "ssl-mode"],
        ),
    ] {
        let error = open(&url).load().await.unwrap_err();
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
    // The tables are there now; the poor user may read them and no more.
    store.backend().load().await?;
    for table in ["migration", "state"] {
        let sql = format!("GRANT SELECT ON site.#{table} TO poor");
        store.ask(&sql).await?;
    }
    let poor = open(&store.url.replace("//site:", "//poor:"));
    assert!(matches!(poor.load().await, Ok(None)));
    let error = poor
        .compare_and_set(None, &first())
        .await
        .unwrap_err()
        .to_string();
    let words = error.contains("may not do this") && error.contains("GRANT SELECT, INSERT");
    assert!(words && !error.contains("CREATE TABLE"), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_record_can_be_joined_with() -> Result<(), Broken> {
    let database = database()?;
    let store = database.store();
    let mut state = large()?;
    let exemptions = &mut state.site_mut(&SiteName::default()).exemptions;
    exemptions.paths.push("/robots.txt".to_owned());
    store.backend().compare_and_set(None, &state).await?;
    for (sql, expected) in [
        (
            "SELECT COUNT(*) FROM #site WHERE name = 'default' AND mode = 'offline'",
            1,
        ),
        (
            "SELECT COUNT(*) FROM #window WHERE enabled AND TIMESTAMPDIFF(MICROSECOND, starts_at, ends_at) = 59999000",
            200,
        ),
        (
            "SELECT COUNT(*) FROM #change c JOIN #site s ON s.name = c.site",
            100,
        ),
        (
            "SELECT COUNT(*) FROM #exemption WHERE value = '/robots.txt'",
            1,
        ),
    ] {
        assert_eq!(store.ask(sql).await?, expected, "{sql}");
    }
    Ok(())
}
