//! How long a switch takes to reach every process: `switch PROCESSES SWITCHES`.
//!
//! Every process follows the same file with the live handle, and says when it decides differently. Printed
//! is the time from the command to the last process, in milliseconds: `switch MEDIAN P99 MAX`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime};

use maintenance_mode::{Config, Facts, Maintenance, Off, On, SiteName};
use maintenance_mode_benches::Trouble;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match *arguments.as_slice() {
        ["follow", file] => follow(file).await,
        [processes, switches] => measure(processes, switches).await,
        _ => Err("usage: switch PROCESSES SWITCHES".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("switch: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn start(file: &str) -> Result<Maintenance, Trouble> {
    Ok(Maintenance::start(Config::new().backend(format!("file:{file}"))).await?)
}

/// Says `open` or `closed` and the time, at the start and after each change, until nobody listens.
async fn follow(file: &str) -> Result<(), Trouble> {
    let maintenance = start(file).await?;
    let mut changes = maintenance.changed();
    loop {
        say(&maintenance)?;
        if changes.next().await.is_none() {
            return Ok(());
        }
    }
}

fn say(maintenance: &Maintenance) -> Result<(), Trouble> {
    let open = maintenance.decide(&Facts::new("GET", "/")).is_allowed();
    let word = if open { "open" } else { "closed" };
    let mut output = std::io::stdout().lock();
    writeln!(output, "{word} {}", now()?)?;
    Ok(output.flush()?)
}

fn now() -> Result<u128, Trouble> {
    Ok(SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_nanos())
}

/// A process that follows; killed when this is dropped.
struct Follower {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Follower {
    fn start(file: &Path) -> Result<Self, Trouble> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("follow")
            .arg(file)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        Ok(Self {
            child,
            output: BufReader::new(output),
        })
    }

    /// Reads on until it says `wanted`; gives back when that was.
    fn wait_for(&mut self, wanted: &str) -> Result<u128, Trouble> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                return Err("a follower has ended".into());
            }
            if let Some((said, time)) = line.trim().split_once(' ')
                && said == wanted
            {
                return Ok(time.parse()?);
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn measure(processes: &str, switches: &str) -> Result<(), Trouble> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("state.json");
    let operator = start(&file.display().to_string()).await?;
    let mut followers = Vec::new();
    for _ in 0..processes.parse::<usize>()? {
        let mut follower = Follower::start(&file)?;
        follower.wait_for("open")?;
        followers.push(follower);
    }
    let site = [SiteName::default()];
    let mut latencies = Vec::new();
    for number in 0..switches.parse::<usize>()? {
        // Not in step with anybody's poll.
        tokio::time::sleep(Duration::from_millis(20 + (number as u64 * 37) % 100)).await;
        let begin = now()?;
        let wanted = if number % 2 == 0 {
            operator
                .control()
                .on(&site, &On::default(), &author(), clock())
                .await?;
            "closed"
        } else {
            operator
                .control()
                .off(&site, &Off::default(), &author(), clock())
                .await?;
            "open"
        };
        let mut last = begin;
        for follower in &mut followers {
            last = last.max(follower.wait_for(wanted)?);
        }
        latencies.push((last - begin) as f64 / 1e6);
    }
    latencies.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share).ceil() as usize;
        latencies[index.clamp(1, latencies.len()) - 1]
    };
    println!("switch {:.1} {:.1} {:.1}", at(0.5), at(0.99), at(1.0));
    Ok(())
}

fn author() -> maintenance_mode::live::Author {
    maintenance_mode::live::Author::application()
}

fn clock() -> maintenance_mode::Timestamp {
    SystemTime::now().into()
}
