//! SQLite: a file, and several processes and handles that share it.

use std::fs;

use maintenance_mode::backend::BackendError;
use maintenance_mode_conformance::backend_suite::records::{advance, create};
use maintenance_mode_conformance::backend_suite::{self, Broken, Harness};
use maintenance_mode_conformance::presence_suite;

use crate::process;
use crate::store::Database;

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise() -> Result<(), Broken> {
    let report = backend_suite::run(&Database::sqlite()).await?;
    print!("{report}");
    let counts = (report.kept.len(), report.not_applicable.len());
    assert_eq!(counts, (21, 2), "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise_of_presence() -> Result<(), Broken> {
    let database = Database::sqlite();
    presence_suite::run(|| database.place()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_processes_may_start_at_the_same_time() -> Result<(), Broken> {
    process::sixteen_begin(&Database::sqlite().store()).await
}

#[tokio::test]
async fn the_journal_is_left_as_it_is() -> Result<(), Broken> {
    let store = Database::sqlite().store();
    create(&*store.backend()).await?;
    let path = store.url.split_once(':').unwrap().1;
    let bytes = fs::read(path.split_once('?').unwrap().0)?;
    // Bytes 18 and 19 of the header: 1 for a rollback journal, 2 for a write-ahead log.
    assert_eq!(bytes[18..20], [1, 1]);
    Ok(())
}

#[tokio::test]
async fn what_is_no_database_is_an_error_that_names_the_file() -> Result<(), Broken> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("no.db");
    fs::write(
        &file,
        "this is not a database at all, and long enough to be sure".repeat(99),
    )?;
    for (url, word) in [
        (format!("sqlite:{}", file.display()), "not a database"),
        (
            format!("sqlite:{}/none/x.db", folder.path().display()),
            "cannot be opened",
        ),
    ] {
        let url = url.parse().unwrap();
        let backend = maintenance_mode_sql::open(&url, folder.path())?;
        let error = backend.load().await.unwrap_err();
        assert!(matches!(error, BackendError::Unavailable { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(word) && text.contains("sqlite:"), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn an_application_that_writes_to_the_same_file_does_not_disturb() -> Result<(), Broken> {
    let store = Database::sqlite().store();
    let backend = store.backend();
    let state = create(&*backend).await?;
    let mut hints = store.backend().subscribe().await?;
    store.ask("CREATE TABLE orders (id INTEGER)").await?;
    for _ in 0..5 {
        store.ask("INSERT INTO orders VALUES (1)").await?;
    }
    let quiet = tokio::time::timeout(std::time::Duration::from_millis(400), hints.next()).await;
    assert!(quiet.is_err(), "orders were hinted at");
    advance(&*backend, &state).await?;
    assert_eq!(hints.next().await, Some(()));
    Ok(())
}
