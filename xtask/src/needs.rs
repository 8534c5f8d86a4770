//! What the verbs need beside Rust, and installing it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

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
        program: "pg_ctlcluster",
        package: "postgresql",
        for_what: "the tests of the SQL backend start servers of their own",
        by: Verb::Test,
    },
    Need {
        program: "mariadbd",
        package: "mariadb-server",
        for_what: "the tests of the SQL backend start servers of their own",
        by: Verb::Test,
    },
    Need {
        program: "pgbouncer",
        package: "pgbouncer",
        for_what: "the tests of the SQL backend put it before PostgreSQL, where it swallows hints",
        by: Verb::Test,
    },
    Need {
        program: "setpriv",
        package: "util-linux",
        for_what: "database servers refuse to run as root",
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
    let _quiet = NoServices::start()?;
    run(command("apt-get")
        .args(["install", "-y", "-q", "--no-install-recommends"])
        .args(&packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))?;
    match missing.iter().find(|need| find(need.program).is_none()) {
        None => Ok(()),
        Some(need) => Err(Failure::new(format!(
            "{} was installed and {} is still not found",
            need.package, need.program
        ))),
    }
}

/// Debian's packages start their servers when they are installed, unless this program forbids it (invoke-rc.d(8)).
/// The tests start servers of their own, and this machine keeps what it had.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// While it lives, no package starts a service.
struct NoServices {
    is_ours: bool,
}

impl NoServices {
    fn start() -> Result<Self, Failure> {
        let is_ours = !fs::exists(POLICY)?;
        if is_ours {
            fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { is_ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours {
            // Nothing can be done if it cannot be removed; the file says by itself what it does.
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
