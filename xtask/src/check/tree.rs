//! What may depend on what.

use std::collections::BTreeSet;

use super::metadata::Metadata;
use crate::failure::{Failure, Outcome};
use crate::shell::{capture, cargo};

/// Runtimes and frameworks: the bare engine knows none of them.
const KEPT_OUT_OF_THE_ENGINE: [&str; 14] = [
    "actix-rt",
    "actix-web",
    "async-std",
    "axum",
    "axum-core",
    "hyper",
    "mio",
    "poem",
    "rocket",
    "smol",
    "tokio",
    "tower",
    "tower-service",
    "warp",
];

/// An adapter's folder, and the framework that it may bring.
const FRAMEWORKS: [(&str, &str); 5] = [
    ("adapter-actix", "actix-web"),
    ("adapter-poem", "poem"),
    ("adapter-rocket", "rocket"),
    ("adapter-tower", "tower-layer"),
    ("adapter-warp", "warp"),
];

/// What counts as a framework when it comes in beside the adapter's own.
const EXCLUSIVE: [&str; 5] = ["actix-web", "axum", "poem", "rocket", "warp"];

pub(super) fn check(metadata: &Metadata) -> Outcome {
    let mut wrong = Vec::new();

    let engine = dependencies("maintenance-mode", &["--no-default-features"])?;
    for name in KEPT_OUT_OF_THE_ENGINE {
        if engine.contains(name) {
            wrong.push(format!("the engine without features depends on {name}"));
        }
    }
    println!("engine without features: {} dependencies", engine.len());

    for member in metadata.members()? {
        let folder = member.folder();
        if !folder.starts_with("adapter-") {
            continue;
        }
        let Some((_, own)) = FRAMEWORKS.iter().find(|(adapter, _)| *adapter == folder) else {
            wrong.push(format!(
                "{folder} is not in the list of adapters and their frameworks"
            ));
            continue;
        };
        let found = dependencies(member.name(), &["--all-features"])?;
        println!("{}: {} dependencies", member.name(), found.len());
        if !found.contains(*own) {
            wrong.push(format!("{} does not depend on {own}", member.name()));
        }
        for other in EXCLUSIVE.iter().filter(|other| *other != own) {
            if found.contains(*other) {
                wrong.push(format!("{} depends on {other} too", member.name()));
            }
        }
    }

    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(wrong.join("\n")))
    }
}

/// The names of a package's normal dependencies, on every platform.
fn dependencies(package: &str, features: &[&str]) -> Outcome<BTreeSet<String>> {
    let text = capture(
        cargo(&[
            "tree",
            "--package",
            package,
            "--edges=normal",
            "--prefix=none",
            "--format={p}",
            "--target=all",
            "--locked",
        ])
        .args(features),
    )?;
    Ok(text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .map(ToOwned::to_owned)
        .collect())
}
