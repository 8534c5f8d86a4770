//! `cargo xtask check`: everything that can be said without running a test.

mod licences;
mod manifests;
mod metadata;
mod places;
mod sizes;
mod tree;

use crate::failure::Outcome;
use crate::needs::{self, Verb};
use crate::shell::{self, cargo};
use crate::stage::Stages;
use metadata::Metadata;

/// Each way in which the engine can be built apart.
const ENGINE_FEATURES: [&str; 4] = ["", "http", "live", "tracing-subscriber"];

pub(crate) fn run() -> Outcome {
    needs::install(Verb::Test)?;
    let metadata = Metadata::read()?;
    let mut stages = Stages::default();
    stages.run("format", || {
        shell::run(&mut cargo(&["fmt", "--all", "--check"]))
    });
    stages.run("lint, every feature", || {
        shell::run(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--locked",
            "--",
            "--deny",
            "warnings",
        ]))
    });
    for features in ENGINE_FEATURES {
        stages.run(&format!("lint, engine with [{features}]"), || {
            shell::run(&mut cargo(&[
                "clippy",
                "--package",
                "maintenance-mode",
                "--no-default-features",
                "--features",
                features,
                "--locked",
                "--",
                "--deny",
                "warnings",
            ]))
        });
    }
    stages.run("documentation", || {
        shell::run(
            cargo(&[
                "doc",
                "--workspace",
                "--no-deps",
                "--all-features",
                "--locked",
            ])
            .env("RUSTDOCFLAGS", "--deny warnings"),
        )
    });
    stages.run("dependencies", || tree::check(&metadata));
    stages.run("licences and sources", || licences::check(&metadata));
    stages.run("manifests", || manifests::check(&metadata));
    stages.run("places", places::check);
    stages.run("sizes", sizes::report);
    stages.finish()
}
