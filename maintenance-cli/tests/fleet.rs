//! Waiting for instances, and running a command while all of them are closed. The instances live in this
//! process; the tool is the real binary.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use maintenance_mode::presence::instances;
use maintenance_mode::{Config, Facts, Maintenance};
use support::{Run, Site};
use tokio::runtime::Runtime;

/// A folder with a file backend, and instances that follow it.
struct Fleet {
    site: Site,
    instances: Vec<Maintenance>,
    runtime: Runtime,
}

impl Fleet {
    fn new(size: usize) -> Self {
        let site = Site::configured("backend = \"file:state.json\"\n");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let file = site.path("state.json");
        let instances = (0..size)
            .map(|_| {
                let config = Config::new().backend(format!("file:{}", file.display()));
                runtime.block_on(Maintenance::start(config)).unwrap()
            })
            .collect();
        let fleet = Self {
            site,
            instances,
            runtime,
        };
        fleet.until("all instances are known", || fleet.known() == size);
        fleet
    }

    fn known(&self) -> usize {
        let Some(instance) = self.instances.first() else {
            return 0;
        };
        let presence = instance.presence().unwrap();
        self.runtime.block_on(instances(&*presence)).unwrap().len()
    }

    fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_open(&self) -> bool {
        let facts = Facts::new("GET", "/");
        let mut all = self.instances.iter();
        all.all(|instance| instance.decide(&facts).is_allowed())
    }

    fn is_closed(&self) -> bool {
        let facts = Facts::new("GET", "/");
        let mut all = self.instances.iter();
        all.all(|instance| !instance.decide(&facts).is_allowed())
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.site.command(arguments);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .env("PATH", path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.start(arguments).wait_with_output().unwrap().into()
    }
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn b02_on_comes_back_when_every_instance_is_closed_and_quiet() {
    let fleet = Fleet::new(3);
    let running = fleet.instances[1].in_flight().enter();
    let mut waiting = fleet.start(&["on", "--wait", "--timeout", "30s"]);
    fleet.until("closed", || fleet.is_closed());
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(waiting.try_wait().unwrap(), None, "a request is running");
    drop(running);
    let run = Run::from(waiting.wait_with_output().unwrap());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("all 3 instances have followed"), "{run:?}");
    assert!(
        run.err
            .contains("2 of 3 instances have followed; 1 requests"),
        "{run:?}"
    );

    let opened = fleet.run(&["off", "--wait", "--json"]);
    assert_eq!(opened.code, 0, "{opened:?}");
    assert!(opened.out.contains("\"followed_by\":3"), "{opened:?}");
}

#[test]
fn b02_an_instance_that_does_not_follow_is_named_and_the_site_stays_closed() {
    let fleet = Fleet::new(2);
    let _running = fleet.instances[0].in_flight().enter();
    let run = fleet.run(&["on", "--wait", "--timeout", "1s"]);
    assert_eq!(run.code, 1, "{run:?}");
    let own = std::process::id().to_string();
    let named =
        run.err.contains("still runs older requests (1 in flight)") && run.err.contains(&own);
    assert!(
        named && run.err.contains("the order holds all the same"),
        "{run:?}"
    );
    assert!(fleet.is_closed());
    let status = fleet.run(&["status"]);
    assert_eq!(status.code, 11, "{status:?}");
    assert!(
        status.out.contains("older requests are still running"),
        "{status:?}"
    );
    assert!(status.out.contains("up to date, 0 in flight"), "{status:?}");
}

#[test]
fn without_an_instance_nothing_is_known() {
    let fleet = Fleet::new(0);
    let run = fleet.run(&["on", "--wait", "--timeout", "5s"]);
    assert_eq!(run.code, 20, "{run:?}");
    assert!(
        run.err.contains("no instance has said that it lives"),
        "{run:?}"
    );
}

#[test]
fn b01_a_command_runs_while_every_instance_is_closed() {
    let fleet = Fleet::new(3);
    let tool = env!("CARGO_BIN_EXE_maintenance");
    let script = format!(
        "echo to stdout; echo to stderr >&2; echo \"$MAINTENANCE_ACTIVATION\"; {tool} status; echo status $?; exit 7"
    );
    let run = fleet.run(&["run", "--", "sh", "-c", &script]);
    assert_eq!(run.code, 7, "{run:?}");
    assert!(run.out.starts_with("to stdout\n"), "{run:?}");
    assert!(run.out.contains("status 11\n"), "{run:?}");
    assert!(run.err.contains("to stderr\n"), "{run:?}");
    assert!(
        run.err.contains("3 of 3 instances have followed"),
        "{run:?}"
    );
    let id = run.out.lines().nth(1).unwrap();
    assert!(run.out.contains(&format!("activation  {id}")), "{run:?}");
    fleet.until("open again", || fleet.is_open());
}

#[test]
fn b01_a_command_is_not_run_before_all_is_quiet() {
    let fleet = Fleet::new(2);
    let _running = fleet.instances[1].in_flight().enter();
    let run = fleet.run(&["run", "--timeout", "1s", "--", "touch", "it-ran"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.err
            .contains("touch was not run, and the site is open again"),
        "{run:?}"
    );
    assert!(!fleet.site.path("it-ran").exists());
    fleet.until("open again", || fleet.is_open());
}

#[test]
fn b01_a_site_that_somebody_else_has_closed_is_left_to_him() {
    let fleet = Fleet::new(1);
    assert_eq!(fleet.run(&["on", "--mode", "read-only"]).code, 0);
    let run = fleet.run(&["run", "--", "touch", "it-ran"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("read-only already"), "{run:?}");
    assert!(!fleet.site.path("it-ran").exists());
    assert_eq!(fleet.run(&["status"]).code, 12);
}

#[test]
fn b01_a_failed_command_may_leave_the_site_closed() {
    let fleet = Fleet::new(1);
    let run = fleet.run(&["run", "--keep-closed-on-failure", "--", "false"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.err.contains("maintenance off --if-activation"),
        "{run:?}"
    );
    assert_eq!(fleet.run(&["status"]).code, 11);
    assert_eq!(fleet.run(&["off"]).code, 0);
    let missing = fleet.run(&["run", "--", "no-such-command-here"]);
    assert_eq!(missing.code, 127, "{missing:?}");
    assert_eq!(fleet.run(&["status"]).code, 0);
}

#[test]
fn b01_a_signal_is_passed_on_and_the_site_is_opened() {
    let fleet = Fleet::new(1);
    let script = "trap 'echo told; exit 3' TERM; touch started; while :; do sleep 0.05; done";
    let child = fleet.start(&["run", "--", "sh", "-c", script]);
    let started = fleet.site.path("started");
    fleet.until("started", || started.exists());
    signal(&child, "-TERM");
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.out.contains("told"), "{run:?}");
    fleet.until("open again", || fleet.is_open());
}

#[test]
fn b09_a_site_opens_when_the_command_that_held_it_is_killed() {
    let fleet = Fleet::new(2);
    let script = "echo $$ > id; while :; do sleep 0.05; done";
    let mut child = fleet.start(&["run", "--", "sh", "-c", script]);
    let id = fleet.site.path("id");
    fleet.until("started", || id.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    // The command itself is nobody's any more.
    std::thread::sleep(Duration::from_millis(100));
    let orphan = std::fs::read_to_string(&id).unwrap();
    let _ = Command::new("kill").arg(orphan.trim()).status();
    assert!(fleet.is_closed());
    fleet.until("open again", || fleet.is_open());
    let history = fleet.run(&["history"]);
    assert!(
        history
            .out
            .contains("the command that held it closed has died"),
        "{history:?}"
    );
}
