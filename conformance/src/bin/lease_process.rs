//! One process that keeps leases beside a state file, for the tests that need several: `lease_process VERB PATH
//! [NUMBER [NUMBER]]`. Sessions and the instance have the process's id in their names.
//!
//! - `renew PATH SESSIONS MILLISECONDS`: renews itself and its sessions again and again, for so long each; says
//!   `ready` after the first time;
//! - `beat PATH SESSIONS SECONDS`: the same once a second, and says how long the longest renewal took;
//! - `take PATH TASKS`: says `ready`, waits for `PATH.go`, tries to take each task, says how many it got;
//! - `count PATH`: says how many sessions there are;
//! - `measure PATH INSTANCES SESSIONS`: says what renewing and counting so many costs.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use maintenance_mode::SiteName;
use maintenance_mode::backend::{FileBackend, FileOptions, StateBackend};
use maintenance_mode::presence::{Holder, Lease, LeaseKey, LeaseKind, PresenceBackend};
use maintenance_mode_conformance::backend_suite::{Broken, broken};
use maintenance_mode_conformance::ensure;

const LONG: Duration = Duration::from_secs(600);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
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

async fn perform(arguments: &[String]) -> Result<String, Broken> {
    let [verb, path, numbers @ ..] = arguments else {
        return Err(broken("usage: lease_process VERB PATH [NUMBER [NUMBER]]"));
    };
    let number = |at: usize| {
        let text = numbers.get(at).map_or("0", String::as_str);
        let number = text.parse::<u64>();
        number.map_err(|_| broken(format!("`{text}` is not a number")))
    };
    let (first, second) = (number(0)?, number(1)?);
    let presence = FileBackend::open(path, FileOptions::default())?.presence()?;
    match verb.as_str() {
        "renew" => renew(&presence, first, Duration::from_millis(second)).await,
        "beat" => beat(&presence, first, second).await,
        "take" => take(&presence, Path::new(path), first).await,
        "count" => Ok(presence.count(LeaseKind::Session, None).await?.to_string()),
        "measure" => measure(&presence, first, second).await,
        other => Err(broken(format!("`{other}` is not a verb"))),
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever reads this may have been ended; then nobody minds.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn myself() -> Holder {
    Holder::from_bits(u128::from(std::process::id()))
}

fn lease(kind: LeaseKind, name: &str, holder: Holder, lasts: Duration) -> Result<Lease, Broken> {
    let key = LeaseKey {
        kind,
        site: SiteName::default(),
        name: name.parse()?,
    };
    Ok(Lease::new(key, holder, lasts)?.with_note(name)?)
}

/// This process and its sessions.
fn batch(sessions: u64, lasts: Duration) -> Result<Vec<Lease>, Broken> {
    let process = std::process::id();
    let session = |number| {
        let name = format!("{process}-{number:024}");
        lease(LeaseKind::Session, &name, Holder::EVERYBODY, lasts)
    };
    let mut batch: Vec<Lease> = (0..sessions).map(session).collect::<Result<_, _>>()?;
    let name = process.to_string();
    batch.push(lease(LeaseKind::Instance, &name, myself(), lasts)?);
    Ok(batch)
}

async fn renew(
    presence: &Arc<dyn PresenceBackend>,
    sessions: u64,
    lasts: Duration,
) -> Result<String, Broken> {
    let batch = batch(sessions, lasts)?;
    let mut told = false;
    loop {
        let refused = presence.renew(&batch).await?;
        ensure!(refused.is_empty(), "refused: {refused:?}");
        if !told {
            say("ready");
            told = true;
        }
    }
}

async fn beat(
    presence: &Arc<dyn PresenceBackend>,
    sessions: u64,
    seconds: u64,
) -> Result<String, Broken> {
    let batch = batch(sessions, Duration::from_secs(30))?;
    let mut longest = Duration::ZERO;
    say("ready");
    for _ in 0..seconds {
        let start = Instant::now();
        let refused = presence.renew(&batch).await?;
        ensure!(refused.is_empty(), "refused: {refused:?}");
        longest = longest.max(start.elapsed());
        tokio::time::sleep(Duration::from_secs(1).saturating_sub(start.elapsed())).await;
    }
    Ok(longest.as_micros().to_string())
}

async fn take(
    presence: &Arc<dyn PresenceBackend>,
    path: &Path,
    tasks: u64,
) -> Result<String, Broken> {
    let go = path.with_extension("go");
    say("ready");
    while !go.exists() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut taken = 0;
    for task in 0..tasks {
        let lease = lease(LeaseKind::Task, &task.to_string(), myself(), LONG)?;
        taken += u64::from(presence.renew(&[lease]).await?.is_empty());
    }
    Ok(taken.to_string())
}

/// The times of several calls: the median and the longest.
async fn times<F: Future<Output = Result<(), Broken>>>(
    count: u32,
    mut call: impl FnMut(u32) -> F,
) -> Result<String, Broken> {
    let mut times = Vec::new();
    for number in 0..count {
        let start = Instant::now();
        call(number).await?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(format!(
        "median {:.1?}, longest {:.1?} of {count}",
        times[times.len() / 2],
        times[times.len() - 1]
    ))
}

async fn measure(
    presence: &Arc<dyn PresenceBackend>,
    instances: u64,
    sessions: u64,
) -> Result<String, Broken> {
    const BATCH: u64 = 10_000;
    let instance = |number| {
        let holder = Holder::from_bits(u128::from(number) + 1);
        lease(
            LeaseKind::Instance,
            &format!("instance-{number}"),
            holder,
            LONG,
        )
    };
    let all: Vec<Lease> = (0..instances).map(instance).collect::<Result<_, _>>()?;
    let session = |number: u64| {
        let key = LeaseKey {
            kind: LeaseKind::Session,
            site: SiteName::default(),
            name: format!("{number:032x}").parse()?,
        };
        Ok::<_, Broken>(Lease::new(key, Holder::EVERYBODY, LONG)?)
    };
    let all_at_once = times(50, async |_| {
        presence.renew(&all).await?;
        Ok(())
    });
    say(&format!(
        "renew {instances} instances in one batch: {}",
        all_at_once.await?
    ));
    let one = times(200, async |number| {
        let at = u64::from(number) % instances.max(1);
        presence.renew(&all[at as usize..=at as usize]).await?;
        Ok(())
    });
    say(&format!("renew one instance among them: {}", one.await?));
    let start = Instant::now();
    for first in (0..sessions).step_by(BATCH as usize) {
        let batch: Vec<Lease> = (first..sessions.min(first + BATCH))
            .map(session)
            .collect::<Result<_, _>>()?;
        presence.renew(&batch).await?;
    }
    say(&format!(
        "begin {sessions} sessions: {:.1?}",
        start.elapsed()
    ));
    let start = Instant::now();
    let count = presence.count(LeaseKind::Session, None).await?;
    ensure!(count == sessions, "{count} of {sessions}");
    say(&format!("first count of them: {:.1?}", start.elapsed()));
    let batches = sessions.div_ceil(BATCH).max(1);
    let renewed = times(200, async |number| {
        let first = u64::from(number) % batches * BATCH;
        let batch = (first..sessions.min(first + BATCH)).map(session);
        presence
            .renew(&batch.collect::<Result<Vec<_>, _>>()?)
            .await?;
        Ok(())
    });
    say(&format!(
        "renew {BATCH} sessions among them: {}",
        renewed.await?
    ));
    let counted = times(10, async |_| {
        presence.count(LeaseKind::Session, None).await?;
        Ok(())
    });
    say(&format!("count again: {}", counted.await?));
    let listed = times(10, async |_| {
        presence.list(LeaseKind::Session, None, 100).await?;
        Ok(())
    });
    say(&format!("list 100 of them: {}", listed.await?));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    Ok(peak.unwrap_or("memory: unknown").to_owned())
}
