//! `cargo demo`: the sample site with a switch in a temporary folder, and what to try.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::failure::{Failure, Outcome};
use crate::shell;

const SITE: [&str; 2] = ["maintenance-mode-example-actix", "actix-site"];
const CONFIG: &str = r#"# The demonstration's settings: what stays open while the site is closed.
backend = "file:maintenance-state.json"

[allow]
paths = ["/login", "/logout", "/assets/**"]
roles = ["staff", "superuser"]

[answer]
rules = [{ prefix = "/api", format = "json" }]
"#;

/// How long the site may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) fn run() -> Outcome {
    // Before the folder exists, so that nothing leaves it behind.
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&ended))?;
    }
    println!("building the sample site and the switch…");
    let site = shell::build(SITE[0], SITE[1], "dev")?;
    shell::build("maintenance-mode-cli", "maintenance", "dev")?;

    let folder = tempfile::Builder::new()
        .prefix("maintenance-demo-")
        .tempdir()?;
    let config = folder.path().join("maintenance.toml");
    fs::write(&config, CONFIG)?;
    let mut site = Command::new(site)
        .args(["--listen", "127.0.0.1:0", "--config"])
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let outcome = show(&mut site, &config).and_then(|()| wait(&mut site, &ended));
    if outcome.is_err() {
        let _ = site.kill();
        let _ = site.wait();
    }
    folder.close()?;
    println!("the site has ended; its folder is removed");
    outcome
}

/// Says what to try as soon as the site listens, and shows its output from then on.
fn show(site: &mut Child, config: &Path) -> Outcome {
    let output = site
        .stdout
        .take()
        .ok_or_else(|| Failure::new("the sample site has no output"))?;
    let mut lines = BufReader::new(output).lines();
    let address = loop {
        match lines.next() {
            None => return Err(Failure::new("the sample site ended before it listened")),
            Some(line) => {
                if let Some(address) = address_in(&line?) {
                    break address;
                }
            }
        }
    };
    print!("{}", what_to_try(&address, config));
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            println!("{line}");
        }
    });
    Ok(())
}

/// Ctrl-C reaches the site as well, which then ends by itself; other signals are passed on as a kill.
fn wait(site: &mut Child, ended: &AtomicBool) -> Outcome {
    let mut since = None;
    loop {
        if let Some(status) = site.try_wait()? {
            return if ended.load(Ordering::Relaxed) {
                Ok(())
            } else {
                Err(Failure::new(format!("the sample site ended with {status}")))
            };
        }
        if ended.load(Ordering::Relaxed) && since.get_or_insert_with(Instant::now).elapsed() > GRACE
        {
            site.kill()?;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The address in a line such as `listening on http://127.0.0.1:43210`.
fn address_in(line: &str) -> Option<String> {
    line.split_whitespace()
        .map(|word| word.trim_start_matches("http://").trim_end_matches('/'))
        .find(|word| word.parse::<std::net::SocketAddr>().is_ok())
        .map(ToOwned::to_owned)
}

fn what_to_try(address: &str, config: &Path) -> String {
    let switch = format!(
        "cargo run -q -p maintenance-mode-cli -- --config {}",
        config.display()
    );
    format!(
        "
The site is open: http://{address}/

In another terminal, in this folder:

  curl -i http://{address}/                     the site
  {switch} on --message 'Back at noon'
  curl -i http://{address}/                     closed: the answer, here as text
  curl -i http://{address}/api/items            closed: a problem document
  curl -i http://{address}/healthz              still open, so that nobody restarts the site
  {switch} status
  {switch} explain /api/items
  {switch} off

Log in at http://{address}/login as visitor, staff or root (the password is the name):
staff and root may use the closed site.

Ctrl-C ends the site and removes its folder.

"
    )
}
