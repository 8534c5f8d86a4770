//! What the verbs need beside Rust, and installing it.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::shell::{command, find, run};

/// Who needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Test,
    Bench,
}

/// One program that is not part of a Rust installation.
struct Need {
    program: &'static str,
    /// Debian's package.
    package: &'static str,
    for_what: &'static str,
    by: Verb,
}

/// The one list of what is needed.
const NEEDS: &[Need] = &[
    Need {
        program: "cc",
        package: "gcc",
        for_what: "links every test",
        by: Verb::Test,
    },
    Need {
        program: "git",
        package: "git",
        for_what: "lists the files that the checks look at",
        by: Verb::Test,
    },
    Need {
        program: "mount",
        package: "mount",
        for_what: "the tests of the file backend mount a file system that is full",
        by: Verb::Test,
    },
    Need {
        program: "redis-server",
        package: "redis-server",
        for_what: "the tests of the Redis backend start servers of their own",
        by: Verb::Test,
    },
    Need {
        program: "nats-server",
        package: "nats-server",
        for_what: "the tests of the NATS backend start servers of their own",
        by: Verb::Test,
    },
    Need {
        program: "openssl",
        package: "openssl",
        for_what: "makes the certificates of the tests with TLS",
        by: Verb::Test,
    },
    Need {
        program: "valgrind",
        package: "valgrind",
        for_what: "counts instructions",
        by: Verb::Bench,
    },
    Need {
        program: "strace",
        package: "strace",
        for_what: "counts system calls",
        by: Verb::Bench,
    },
    Need {
        program: "haproxy",
        package: "haproxy",
        for_what: "the fastest way to answer 503 that is in wide use, beside ours",
        by: Verb::Bench,
    },
];

/// Installs what `verb` needs and this machine does not have.
pub(crate) fn install(verb: Verb) -> Outcome {
    let missing: Vec<&Need> = NEEDS
        .iter()
        .filter(|need| need.by == verb && find(need.program).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        println!(
            "{} is missing ({}): {}",
            need.program, need.package, need.for_what
        );
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let by_hand = format!(
        "apt-get update && apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    );
    if find("apt-get").is_none() {
        return Err(Failure::new(format!(
            "this machine has no apt-get; install by its own means what Debian calls {}",
            packages.join(", ")
        )));
    }
    if !is_root() {
        return Err(Failure::new(format!(
            "installing needs root; run: sudo sh -c '{by_hand}'"
        )));
    }
    run(command("apt-get").args(["update", "-q"]))?;
    let services = ServicesStayDown::begin()?;
    run(command("apt-get")
        .args(["install", "-y", "-q", "--no-install-recommends"])
        .args(&packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))?;
    drop(services);
    match missing.iter().find(|need| find(need.program).is_none()) {
        None => Ok(()),
        Some(need) => Err(Failure::new(format!(
            "{} was installed and {} is still not found",
            need.package, need.program
        ))),
    }
}

/// Asked by Debian's packages before they start the service that they bring (Debian Policy, 9.3.3).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// While this lives, installing a server starts none: the tests start their own, on private ports.
struct ServicesStayDown {
    /// The machine had no policy of its own.
    ours: bool,
}

impl ServicesStayDown {
    fn begin() -> Outcome<Self> {
        let ours = !Path::new(POLICY).exists();
        if ours {
            fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
            run(command("chmod").args(["755", POLICY]))?;
        }
        Ok(Self { ours })
    }
}

impl Drop for ServicesStayDown {
    fn drop(&mut self) {
        if self.ours {
            // If it stays, services stay down; the next installation shows it.
            let _ = fs::remove_file(POLICY);
        }
    }
}

/// The effective user, as the kernel tells it (proc(5), `/proc/pid/status`).
fn is_root() -> bool {
    fs::read_to_string("/proc/self/status")
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .and_then(|ids| ids.split_whitespace().nth(1))
        .is_some_and(|effective| effective == "0")
}
