//! Other processes: this same test program, asked for one test that does what its environment says.

use std::path::Path;
use std::process::Stdio;

use maintenance_mode::State;
use maintenance_mode::backend::BackendError;
use maintenance_mode_conformance::backend_suite::records::{after, count, first};
use maintenance_mode_conformance::backend_suite::{Broken, broken};
use maintenance_mode_conformance::ensure;

use crate::store::Store;

/// The URL that a process of its own works on.
const URL: &str = "MAINTENANCE_MODE_SQL_TEST_URL";
const TRIES: usize = 20;

/// What a process of its own does: makes the tables and the record if nobody did, then adds one, again and again.
pub(crate) fn perform() {
    let Ok(url) = std::env::var(URL) else {
        // The program runs all its tests, and this is none.
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let accepted = runtime.block_on(begin_and_add(&url)).unwrap();
    println!("\naccepted={accepted}");
}

async fn begin_and_add(url: &str) -> Result<usize, BackendError> {
    let backend = maintenance_mode_sql::open(&url.parse()?, Path::new("."))?;
    let mut accepted = 0;
    for _ in 0..TRIES {
        let known = backend.load().await?;
        // Processes draw the same epochs; only one of them can use its own.
        let next = known.as_ref().map_or_else(first, after);
        let expected = known.as_ref().map(State::version);
        match backend.compare_and_set(expected, &next).await {
            Ok(()) => accepted += 1,
            Err(BackendError::Conflict(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(accepted)
}

/// Sixteen processes begin on an empty database: none fails, and no write is lost.
pub(crate) async fn sixteen_begin(store: &Store) -> Result<(), Broken> {
    let mut processes = Vec::new();
    for _ in 0..16 {
        let process = tokio::process::Command::new(std::env::current_exe()?)
            .args(["--exact", "a_process_of_its_own", "--nocapture"])
            .env(URL, &store.url)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        processes.push(process);
    }
    let mut accepted = 0;
    for process in processes {
        let output = process.wait_with_output().await?;
        let said = String::from_utf8_lossy(&output.stdout);
        let number = said
            .lines()
            .find_map(|line| line.strip_prefix("accepted="))
            .and_then(|number| number.parse::<u64>().ok());
        accepted += number.ok_or_else(|| {
            let errors = String::from_utf8_lossy(&output.stderr);
            broken(format!("a process failed: {said}{errors}"))
        })?;
    }
    let end = store.backend().load().await?;
    let end = end.ok_or_else(|| broken("there is no record"))?;
    ensure!(
        end.revision == accepted && count(&end) + 1 == accepted,
        "{accepted} accepted, revision {}",
        end.revision
    );
    Ok(())
}
