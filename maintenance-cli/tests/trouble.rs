//! What goes wrong: unreadable records, folders that cannot be written, closed pipes, wrong configurations.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;

use serde_json::json;
use support::{Run, Site};

#[test]
fn an_unreadable_record_is_never_open_and_can_be_repaired() {
    let site = Site::configured("");
    site.run(&["on"]).exits(0);
    site.write("maintenance-state.json", "rubbish");
    site.run(&["status"])
        .exits(20)
        .says("not known")
        .remarks("`maintenance repair`");
    let status = site.run(&["status", "--json"]).exits(20).json();
    assert_eq!(status["freshness"], "never_read");
    assert_eq!(status["sites"], json!([]), "nothing is guessed");
    assert!(
        status["error"]
            .as_str()
            .unwrap()
            .contains("not a maintenance record")
    );
    for verb in [&["on"][..], &["off"], &["history"], &["explain", "/"]] {
        site.run(verb).exits(20);
    }
    site.run(&["explain", "/"]).remarks("--mode");
    assert_eq!(
        fs::read_to_string(site.path("maintenance-state.json")).unwrap(),
        "rubbish"
    );

    site.run(&["repair"]).exits(2).remarks("--mode <MODE>");
    site.run(&["repair", "--mode", "offline"])
        .exits(0)
        .says("every site offline")
        .says("maintenance-state.json.broken-");
    site.run(&["status"]).exits(11);
    let kept = fs::read_dir(site.folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains(".broken-"))
        .unwrap();
    assert_eq!(fs::read_to_string(kept).unwrap(), "rubbish");

    site.run(&["repair", "--mode", "online"])
        .exits(1)
        .remarks("--force");
    site.run(&["status"]).exits(11);
    let repaired = site
        .run(&["repair", "--mode", "online", "--force", "--json"])
        .exits(0)
        .json();
    assert_eq!(
        (&repaired["revision"], &repaired["mode"]),
        (&json!(1), &json!("online"))
    );
    site.run(&["status"]).exits(0);
}

#[test]
fn a_vanished_record_is_not_open_either() {
    let site = Site::configured("");
    site.run(&["repair", "--mode", "online"])
        .exits(1)
        .remarks("no record was ever made");
    site.run(&["on"]).exits(0);
    fs::remove_file(site.path("maintenance-state.json")).unwrap();
    site.run(&["status"]).exits(20).remarks("has vanished");
    site.run(&["repair", "--mode", "online"]).exits(0);
    site.run(&["status"]).exits(0);
}

#[test]
fn what_is_pinned_is_known_without_the_record() {
    let site = Site::configured("mode = \"read_only\"\n");
    site.write("maintenance-state.json", "rubbish");
    site.run(&["status"])
        .exits(12)
        .says("default: read_only")
        .remarks("not a maintenance record");
}

#[test]
fn memory_is_seen_by_one_process_only() {
    let site = Site::configured("backend = \"memory:\"\n");
    for verb in [
        &["status"][..],
        &["on"],
        &["off"],
        &["history"],
        &["repair", "--mode", "online"],
    ] {
        site.run(verb)
            .exits(20)
            .remarks("keeps state in one process");
    }
    site.run(&["explain", "/", "--mode", "offline"]).exits(0);
    site.run(&["explain", "/"])
        .exits(0)
        .says("allowed GET /")
        .remarks("cannot be seen from here");
}

#[test]
fn a_backend_that_cannot_be_opened_is_named_without_its_password() {
    let site = Site::new();
    for url in ["etcd://user:s3cr3t@h/0", "state.json"] {
        let run = site
            .run(&["--backend", url, "status"])
            .exits(2)
            .remarks("file:");
        assert!(!run.err.contains("s3cr3t"), "{run:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_that_names_it() {
    let site = Site::configured("");
    let folder = site.folder().to_path_buf();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = site.command(&["on"]);
    if fs::metadata(&folder).unwrap().uid() == 0 {
        // Root may write anywhere; nobody may not.
        command.uid(65534).gid(65534);
    }
    let run = Run::from(command.output().unwrap());
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    run.exits(1).remarks(&folder.to_string_lossy());
    site.run(&["status"]).exits(0).says("never changed");

    site.write("file", "");
    site.run(&["--backend", "file:file/below/state.json", "on"])
        .exits(1)
        .remarks("file/below");
}

#[test]
fn a_configuration_is_refused_with_everything_that_is_wrong_with_it() {
    let site = Site::configured(
        "mod = \"offline\"\n\
         [allow]\n\
         paths = [\"/ok\", \"no-slash\", { prefix = \"/\" }]\n\
         addresses = [\"198.51.100.7/24\"]\n\
         authenticated = \"yes\"\n",
    );
    let everywhere = [
        "maintenance.toml:1: mod: unknown key `mod`",
        "hint: did you mean `mode`?",
        "maintenance.toml:3: allow.paths[1]: `no-slash`",
        "maintenance.toml:3: allow.paths[2]: the prefix `/`",
        "maintenance.toml:4: allow.addresses[0]: `198.51.100.7/24` has host bits set",
        "maintenance.toml:5: allow.authenticated: ",
    ];
    for verb in [
        &["config", "check"][..],
        &["config", "show"],
        &["on"],
        &["status"],
        &["explain", "/"],
        &["whoami", "--peer", "::1"],
    ] {
        let mut run = site.run(verb).exits(2);
        assert_eq!(run.out, "", "{run:?}");
        for complaint in everywhere {
            run = run.remarks(complaint);
        }
        assert_eq!(run.err.matches("error: ").count(), 5, "{run:#?}");
    }
    let json = site.run(&["config", "check", "--json"]).exits(2).json();
    assert_eq!(json["usable"], false);
    assert_eq!(json["complaints"].as_array().unwrap().len(), 5);
    assert!(!site.path("maintenance-state.json").exists());

    let run = site
        .run_with_input(&["explain", "--requests", "-"], "{\"target\":\"/\"}\n")
        .exits(2);
    assert_eq!(run.out, "", "complaints come before any request is read");

    Site::configured("a = [")
        .run(&["status"])
        .exits(2)
        .remarks("maintenance.toml:1: not TOML");
    Site::new()
        .run(&["--config", "none.toml", "status"])
        .exits(2)
        .remarks("none.toml: cannot be read");
}

#[test]
fn a_good_configuration_is_summed_up_by_what_it_opens() {
    let site = Site::configured(
        "[allow]\n\
         paths = [\"/robots.txt\"]\n\
         roles = [\"staff\"]\n\
         header = { name = \"X-Key\", value = \"short-s3cr3t\" }\n\
         [sites.shop]\n\
         hosts = [\"shop.example\"]\n\
         mode = \"paused\"\n\
         [sites.shop.allow]\n\
         health = []\n\
         paths = []\n",
    );
    let run = site
        .run(&["config", "check", "--connect"])
        .exits(0)
        .says("usable: maintenance.toml")
        .says("readable, never changed")
        .says("site shop: shop.example")
        .says("pinned to paused")
        .says("1 rule\n")
        .says("X-Key")
        .remarks("warning: maintenance.toml:4: allow.header");
    assert!(!run.out.contains("s3cr3t"));
    let json = site.run(&["config", "check", "--json"]).exits(0).json();
    assert_eq!(json["sites"][1]["health"], json!([]));
    assert_eq!(
        json["sites"][0]["health"],
        json!(["/healthz", "/livez", "/readyz"])
    );
    let shown = site
        .run(&["config", "show"])
        .exits(0)
        .says("value = \"***\"");
    assert!(!shown.out.contains("s3cr3t"));

    let variable = site
        .command(&["config", "show"])
        .env("MAINTENANCE_ALLOW_ROLES", "root")
        .output()
        .unwrap();
    Run::from(variable).exits(0).says("roles = [\"root\"]");
    let unknown = site
        .command(&["config", "check"])
        .env("MAINTENANCE_BACKND", "x")
        .output()
        .unwrap();
    Run::from(unknown)
        .exits(0)
        .remarks("did you mean `MAINTENANCE_BACKEND`?");

    site.write("maintenance-state.json", "rubbish");
    site.run(&["config", "check"]).exits(0);
    site.run(&["config", "check", "--connect"]).exits(20);
}

#[test]
fn a_reader_that_has_gone_is_no_reason_to_panic() {
    let site = Site::configured("mode = \"offline\"\n");
    for (arguments, code) in [
        (&["status"][..], 11),
        (&["config", "show"], 0),
        (&["man"], 0),
        (&["--help"], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = Run::from(site.command(arguments).stdout(writer).output().unwrap());
        run.exits(code).remarks_nothing();
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let site = Site::configured("");
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let run = site.command(&["status"]).stdout(full).output().unwrap();
    Run::from(run)
        .exits(1)
        .remarks("the answer could not be written");
}

#[test]
fn a_variable_that_is_not_unicode_is_none_of_ours() {
    use std::os::unix::ffi::OsStrExt;
    let site = Site::configured("");
    let odd = std::ffi::OsStr::from_bytes(b"\xff");
    let run = site.command(&["status"]).env("ODD", odd).output().unwrap();
    Run::from(run).exits(0).remarks_nothing();
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let site = Site::configured("mode = \"offline\"\n");
    assert!(!site.run(&["status"]).out.contains('\u{1b}'));
    assert!(
        site.run(&["--color", "always", "status"])
            .out
            .contains('\u{1b}')
    );
    let both = site
        .command(&["--color", "never", "status"])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(!Run::from(both).out.contains('\u{1b}'));
    let none = site
        .command(&["status"])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(!Run::from(none).out.contains('\u{1b}'));
}

#[test]
fn every_command_explains_itself() {
    let site = Site::new();
    site.run(&[]).exits(2).remarks("Usage: maintenance");
    site.run(&["--help"])
        .exits(0)
        .says("Exit codes:")
        .says("20  the state is not known");
    for command in [
        "on",
        "off",
        "status",
        "history",
        "explain",
        "whoami",
        "repair",
        "config check",
    ] {
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.push("--help");
        site.run(&arguments)
            .exits(0)
            .says("Examples:")
            .says("Exit codes: ");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        site.run(&["completions", shell])
            .exits(0)
            .says("maintenance");
    }
    site.run(&["man"]).exits(0).says(".TH maintenance 1");
    fs::create_dir(site.path("pages")).unwrap();
    site.run(&["man", "--out-dir", "pages"]).exits(0);
    site.run(&["completions", "bash", "--out-dir", "pages"])
        .exits(0)
        .says("pages/maintenance.bash");
    for page in [
        "maintenance.1",
        "maintenance-on.1",
        "maintenance-config-check.1",
        "maintenance.bash",
    ] {
        assert!(site.path("pages").join(page).exists(), "{page}");
    }
    site.run(&["man", "--out-dir", "none"])
        .exits(1)
        .remarks("none");
}
