//! One of the sites on a real socket, with one worker: `site FRAMEWORK plain|counted|ten-liner|ours open|closed`.
//!
//! Ours has a file backend. The program says `listening ADDRESS`, and ends when its standard input ends.

use std::process::ExitCode;

use maintenance_mode_benches::Trouble;
use maintenance_mode_benches::sites::{FRAMEWORKS, Variant};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match perform(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("site: {why}");
            ExitCode::FAILURE
        }
    }
}

fn perform(arguments: &[&str]) -> Result<(), Trouble> {
    let [framework, kind, state] = *arguments else {
        return Err("usage: site FRAMEWORK plain|counted|ten-liner|ours open|closed".into());
    };
    let framework = FRAMEWORKS
        .iter()
        .find(|known| known.name == framework)
        .ok_or_else(|| format!("`{framework}` is not a framework here"))?;
    (framework.serve)(Variant::find(kind, state)?)
}
