//! Sends requests to a server that another program watches: `drive REQUESTS STATUS -- COMMAND…`.
//!
//! The command is `site …`, or a counter with `site …` as its arguments. One connection, one request after
//! the other, so that the same requests cost the same.

use std::process::{Command, ExitCode};

use maintenance_mode_benches::Trouble;
use maintenance_mode_benches::load::Client;
use maintenance_mode_benches::process::Server;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match perform(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("drive: {why}");
            ExitCode::FAILURE
        }
    }
}

fn perform(arguments: &[String]) -> Result<(), Trouble> {
    let [requests, status, dashes, program, more @ ..] = arguments else {
        return Err("usage: drive REQUESTS STATUS -- COMMAND…".into());
    };
    if dashes != "--" {
        return Err("usage: drive REQUESTS STATUS -- COMMAND…".into());
    }
    let server = Server::start(Command::new(program).args(more))?;
    let mut client = Client::connect(server.address(), 1)?;
    client.ask(requests.parse()?, status)?;
    drop(client);
    server.end()
}
