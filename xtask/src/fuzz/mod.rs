//! `cargo xtask fuzz`: every target with libFuzzer, or with the plain runner where there is no nightly.

mod seeds;

use std::fs;
use std::str::FromStr;

use crate::arguments::Arguments;
use crate::failure::{Failure, Outcome};
use crate::shell::{self, capture, cargo, command, find, root, succeeds};
use crate::stage::Stages;

const CURE: &str = "libFuzzer needs a nightly toolchain and cargo-fuzz: \
    `rustup toolchain install nightly` and `cargo install cargo-fuzz --locked`; \
    or use --engine plain, which runs the same targets on stable without coverage";

/// What runs the targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    LibFuzzer,
    Plain,
}

impl FromStr for Engine {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "libfuzzer" => Ok(Self::LibFuzzer),
            "plain" => Ok(Self::Plain),
            _ => Err(()),
        }
    }
}

/// What was asked.
#[derive(Debug)]
pub(crate) struct Options {
    seconds: u64,
    engine: Option<Engine>,
    targets: Vec<String>,
}

impl Options {
    pub(crate) fn from_arguments(arguments: &mut Arguments) -> Outcome<Self> {
        Ok(Self {
            seconds: arguments.value("--seconds")?.unwrap_or(60),
            engine: arguments.value("--engine")?,
            targets: arguments.words()?,
        })
    }

    /// A short look at every target, without nightly.
    pub(crate) fn for_ci() -> Self {
        Self {
            seconds: 10,
            engine: Some(Engine::Plain),
            targets: Vec::new(),
        }
    }
}

pub(crate) fn run(options: &Options) -> Outcome {
    let engine = match options.engine {
        Some(Engine::LibFuzzer) if !has_libfuzzer() => return Err(Failure::new(CURE)),
        Some(engine) => engine,
        None if has_libfuzzer() => Engine::LibFuzzer,
        None => {
            println!("using the plain runner. {CURE}");
            Engine::Plain
        }
    };
    let every = seeds::targets()?;
    let chosen: Vec<&String> = if options.targets.is_empty() {
        every.iter().collect()
    } else {
        options.targets.iter().collect()
    };
    if let Some(unknown) = chosen.iter().find(|name| !every.contains(name)) {
        return Err(Failure::new(format!(
            "`{unknown}` is not a target; there are {}",
            every.join(", ")
        )));
    }
    let mut stages = Stages::default();
    stages.run("seeds", || {
        every.iter().try_for_each(|target| seeds::write(target))
    });
    if engine == Engine::Plain {
        stages.run("build", || shell::run(&mut plain(&["build"], &[])));
    }
    for target in chosen {
        stages.run(&format!("fuzz {target}"), || match engine {
            Engine::LibFuzzer => libfuzzer(target, options.seconds),
            Engine::Plain => plain_runner(target, options.seconds),
        });
    }
    stages.finish()
}

fn has_libfuzzer() -> bool {
    find("cargo-fuzz").is_some()
        && succeeds(command("rustup").args(["run", "nightly", "rustc", "-V"]))
}

fn libfuzzer(target: &str, seconds: u64) -> Outcome {
    let words = root().join("fuzz/corpus").join(format!("{target}.words"));
    let text = capture(&mut plain(&["run"], &["words", target]))?;
    fs::write(&words, text)?;
    shell::run(
        command("rustup")
            .args(["run", "nightly", "cargo", "fuzz", "run", target, "--"])
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-dict={}", words.display()))
            .args(["-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1"])
            .env_remove("CARGO")
            .env_remove("RUSTUP_TOOLCHAIN"),
    )
}

fn plain_runner(target: &str, seconds: u64) -> Outcome {
    let seeds = seeds::folder(target).display().to_string();
    let failures = root().join("fuzz/artifacts").join(target);
    let failures = failures.display().to_string();
    let seconds = seconds.to_string();
    shell::run(&mut plain(
        &["run"],
        &["run", target, &seconds, &seeds, &failures],
    ))
}

fn plain(verb: &[&str], arguments: &[&str]) -> std::process::Command {
    let mut command = cargo(verb);
    command.args([
        "--quiet",
        "--locked",
        "--package",
        "maintenance-mode-fuzz-targets",
        "--bin",
        "plain-fuzz",
        "--profile",
        "fuzz",
    ]);
    if !arguments.is_empty() {
        command.arg("--").args(arguments);
    }
    command
}
