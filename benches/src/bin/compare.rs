//! Servers side by side, one line `NAME NUMBER…` for each figure.
//!
//! - `compare cpu SITE FRAMEWORK ROUNDS REQUESTS`: processor time an answer, in microseconds at best; the servers
//!   take turns. `SITE` is the program `site`. HAProxy answers with the same bytes as ours. One server is
//!   there twice: what differs between those two is noise.
//! - `compare soak SITE FRAMEWORK SECONDS`: resident memory of a closed site in KiB, after a tenth of the time and at
//!   the end, and the number of answers.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use maintenance_mode_benches::Trouble;
use maintenance_mode_benches::load::{Client, Received};
use maintenance_mode_benches::process::{Server, free_address};

const CONNECTIONS: usize = 16;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match *arguments.as_slice() {
        ["cpu", site, framework, rounds, requests] => cpu([site, framework], rounds, requests),
        ["soak", site, framework, seconds] => soak([site, framework], seconds),
        _ => Err("usage: compare cpu SITE FRAMEWORK ROUNDS REQUESTS, or \
                  compare soak SITE FRAMEWORK SECONDS"
            .into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("compare: {why}");
            ExitCode::FAILURE
        }
    }
}

/// One server, its clients, and what was seen.
struct Contender {
    name: &'static str,
    status: &'static str,
    server: Server,
    client: Client,
    best: f64,
}

impl Contender {
    fn new(name: &'static str, status: &'static str, server: Server) -> Result<Self, Trouble> {
        let client = Client::connect(server.address(), CONNECTIONS)?;
        Ok(Self {
            name,
            status,
            server,
            client,
            best: f64::INFINITY,
        })
    }

    fn site(
        name: &'static str,
        [program, framework]: [&str; 2],
        [kind, state]: [&str; 2],
    ) -> Result<Self, Trouble> {
        let status = if state == "closed" { "503" } else { "200" };
        let server = Server::start(Command::new(program).args([framework, kind, state]))?;
        Self::new(name, status, server)
    }

    fn round(&mut self, requests: usize) -> Result<(), Trouble> {
        let before = self.server.cpu()?;
        self.client.ask(requests, self.status)?;
        let used = self.server.cpu()? - before;
        self.best = self.best.min(used as f64 / 1000.0 / requests as f64);
        Ok(())
    }
}

fn cpu(site: [&str; 2], rounds: &str, requests: &str) -> Result<(), Trouble> {
    let (rounds, requests): (usize, usize) = (rounds.parse()?, requests.parse()?);
    let mut contenders = vec![
        Contender::site("plain", site, ["plain", "open"])?,
        Contender::site("plain-again", site, ["plain", "open"])?,
        Contender::site("ten-liner/online", site, ["ten-liner", "open"])?,
        Contender::site("ten-liner/offline", site, ["ten-liner", "closed"])?,
        Contender::site("ours/online", site, ["ours", "open"])?,
        Contender::site("ours/offline", site, ["ours", "closed"])?,
    ];
    let answer = match contenders.last_mut() {
        Some(ours) => ours.client.fetch()?,
        None => return Err("no contender".into()),
    };
    let folder = tempfile::tempdir()?;
    contenders.push(Contender::new(
        "haproxy",
        "503",
        haproxy(folder.path(), &answer)?,
    )?);
    for contender in &mut contenders {
        contender.round(requests)?;
        contender.best = f64::INFINITY;
    }
    for _ in 0..rounds {
        for contender in &mut contenders {
            contender.round(requests)?;
        }
    }
    for contender in contenders {
        println!("{} {:.3}", contender.name, contender.best);
    }
    Ok(())
}

/// HAProxy with one thread, which gives this answer to everybody.
fn haproxy(folder: &std::path::Path, answer: &Received) -> Result<Server, Trouble> {
    let address = free_address()?;
    let body = folder.join("body");
    std::fs::write(&body, &answer.body)?;
    let mut rule = "http-request return status 503".to_owned();
    for line in answer.head.lines().skip(1) {
        let (name, value) = line.split_once(':').ok_or("a field without colon")?;
        let value = quoted(value.trim());
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {}
            "content-type" => rule.push_str(&format!(" content-type {value}")),
            name => rule.push_str(&format!(" hdr {name} {value}")),
        }
    }
    rule.push_str(&format!(" file {}", body.display()));
    let configuration = folder.join("haproxy.cfg");
    std::fs::write(
        &configuration,
        format!(
            "global\n  nbthread 1\n  maxconn 1000\ndefaults\n  mode http\n  timeout client 60s\n  \
             timeout server 60s\n  timeout connect 5s\n  timeout http-keep-alive 60s\n\
             frontend closed\n  bind {address}\n  {rule}\n"
        ),
    )?;
    let program = ["/usr/sbin/haproxy", "/usr/bin/haproxy"]
        .into_iter()
        .find(|program| std::path::Path::new(program).is_file())
        .unwrap_or("haproxy");
    let mut command = Command::new(program);
    Server::start_silent(command.arg("-db").arg("-f").arg(configuration), address)
}

/// A value in HAProxy's configuration: quoted, and no log-format variable.
fn quoted(value: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in value.chars() {
        match c {
            '%' => quoted.push_str("%%"),
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn soak(site: [&str; 2], seconds: &str) -> Result<(), Trouble> {
    let whole = Duration::from_secs(seconds.parse()?);
    let mut closed = Contender::site("soak", site, ["ours", "closed"])?;
    let begin = Instant::now();
    let mut answers = 0;
    let mut settled = None;
    while begin.elapsed() < whole {
        closed.round(1000)?;
        answers += 1000;
        if settled.is_none() && begin.elapsed() > whole / 10 {
            settled = Some(closed.server.resident()?);
        }
    }
    let end = closed.server.resident()?;
    println!("soak {} {end} {answers}", settled.unwrap_or(end));
    Ok(())
}
