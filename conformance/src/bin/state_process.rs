//! One process that uses a file backend, for the tests that need several: `state_process VERB PATH [ARGUMENT]`.
//!
//! - `count PATH TRIES`: says `ready`, adds one to the record TRIES times, says how many counted;
//! - `read PATH MILLISECONDS`: reads again and again; fails if a revision falls or the record is missing;
//! - `watch PATH`: says `watching`, then each revision that it sees after a hint;
//! - `load PATH`, `advance PATH`: once.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use maintenance_mode::backend::{BackendError, FileBackend, FileOptions, StateBackend};
use maintenance_mode_conformance::backend_suite::records::{advance, after, count};
use maintenance_mode_conformance::backend_suite::{Broken, broken};
use maintenance_mode_conformance::ensure;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match perform(&arguments).await {
        Ok(said) => {
            say(&said);
            ExitCode::SUCCESS
        }
        Err(why) => {
            say(&format!("error: {why}"));
            ExitCode::FAILURE
        }
    }
}

async fn perform(arguments: &[&str]) -> Result<String, Broken> {
    let (verb, path, number) = match *arguments {
        [verb, path] => (verb, path, 0),
        [verb, path, number] => {
            let number = number
                .parse()
                .map_err(|_| broken(format!("`{number}` is not a number")))?;
            (verb, path, number)
        }
        _ => return Err(broken("usage: state_process VERB PATH [NUMBER]")),
    };
    let backend = FileBackend::open(path, FileOptions::default())?;
    match verb {
        "count" => add(&backend, number).await,
        "read" => read(&backend, Duration::from_millis(number)).await,
        "watch" => watch(&backend).await,
        "load" => Ok(backend
            .load()
            .await?
            .map_or("never configured".to_owned(), |s| {
                format!("revision {}", s.revision)
            })),
        "advance" => {
            let state = backend
                .load()
                .await?
                .ok_or_else(|| broken("never configured"))?;
            Ok(format!(
                "revision {}",
                advance(&backend, &state).await?.revision
            ))
        }
        other => Err(broken(format!("`{other}` is not a verb"))),
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever reads this may have been ended; then nobody minds.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

async fn add(backend: &FileBackend, tries: u64) -> Result<String, Broken> {
    let mut known = backend
        .load()
        .await?
        .ok_or_else(|| broken("never configured"))?;
    say("ready");
    let mut accepted = 0;
    for _ in 0..tries {
        let next = after(&known);
        match backend.compare_and_set(Some(known.version()), &next).await {
            Ok(()) => {
                accepted += 1;
                known = next;
            }
            Err(BackendError::Conflict(Some(present))) => known = *present,
            Err(other) => return Err(other.into()),
        }
    }
    Ok(accepted.to_string())
}

async fn read(backend: &FileBackend, time: Duration) -> Result<String, Broken> {
    let start = Instant::now();
    let (mut reads, mut last) = (0_u64, 0);
    say("ready");
    while start.elapsed() < time {
        let state = backend
            .load()
            .await?
            .ok_or_else(|| broken("a reader found nothing"))?;
        ensure!(
            state.revision >= last,
            "revision {} came after {last}",
            state.revision
        );
        ensure!(
            count(&state) + 1 == state.revision,
            "revision {} is torn",
            state.revision
        );
        last = state.revision;
        reads += 1;
    }
    Ok(format!("{reads} reads up to revision {last}"))
}

async fn watch(backend: &FileBackend) -> Result<String, Broken> {
    let mut hints = backend.subscribe().await?;
    say("watching");
    while hints.next().await.is_some() {
        match backend.load().await {
            Ok(Some(state)) => say(&format!("revision {}", state.revision)),
            Ok(None) => say("never configured"),
            Err(error) => say(&format!("error: {error}")),
        }
    }
    Ok("the watch ended".to_owned())
}
