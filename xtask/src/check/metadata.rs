//! What cargo knows of the workspace.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::shell::{capture, cargo};

/// `cargo metadata` with every feature; fails if `Cargo.lock` would have to change.
pub(super) struct Metadata(Value);

/// One package of the graph.
#[derive(Clone, Copy)]
pub(super) struct Package<'a>(&'a Value);

impl Metadata {
    pub(super) fn read() -> Outcome<Self> {
        let text = capture(&mut cargo(&[
            "metadata",
            "--format-version=1",
            "--all-features",
            "--locked",
        ]))
        .map_err(|failure| {
            failure.while_doing("Cargo.lock does not fit the manifests; build once and commit it")
        })?;
        Ok(Self(serde_json::from_str(&text)?))
    }

    pub(super) fn packages(&self) -> impl Iterator<Item = Package<'_>> {
        list(&self.0, "packages").map(Package)
    }

    pub(super) fn members(&self) -> Outcome<Vec<Package<'_>>> {
        let ids: Vec<&Value> = list(&self.0, "workspace_members").collect();
        let members: Vec<_> = self
            .packages()
            .filter(|package| ids.contains(&&package.0["id"]))
            .collect();
        if members.is_empty() {
            return Err(Failure::new("cargo metadata names no workspace member"));
        }
        Ok(members)
    }
}

impl<'a> Package<'a> {
    pub(super) fn name(self) -> &'a str {
        self.text("name").unwrap_or_default()
    }

    pub(super) fn version(self) -> &'a str {
        self.text("version").unwrap_or_default()
    }

    /// A text that a manifest may leave out.
    pub(super) fn text(self, key: &str) -> Option<&'a str> {
        self.0[key].as_str()
    }

    /// How many texts a list has.
    pub(super) fn count(self, key: &str) -> usize {
        list(self.0, key).count()
    }

    /// Whether `publish = false`.
    pub(super) fn is_private(self) -> bool {
        self.0["publish"].as_array().is_some_and(Vec::is_empty)
    }

    pub(super) fn manifest(self) -> PathBuf {
        PathBuf::from(self.text("manifest_path").unwrap_or_default())
    }

    /// The name of the folder that it stands in.
    pub(super) fn folder(self) -> String {
        self.manifest()
            .parent()
            .and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}
