//! Whether every member's manifest says what it must, and takes the rest from the workspace.

use std::fs;

use toml::{Table, Value};

use super::metadata::{Metadata, Package};
use crate::failure::{Failure, Outcome};

/// What a member inherits.
const INHERITED: [&str; 3] = ["version", "edition", "license"];

pub(super) fn check(metadata: &Metadata) -> Outcome {
    let mut wrong = Vec::new();
    for member in metadata.members()? {
        let manifest = member.manifest();
        let text = fs::read_to_string(&manifest)
            .map_err(|error| Failure::from(error).while_doing(manifest.display()))?;
        let table: Table = toml::from_str(&text)?;
        for problem in problems(&table).into_iter().chain(of_published(member)) {
            wrong.push(format!("{}: {problem}", member.name()));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(wrong.join("\n")))
    }
}

fn problems(manifest: &Table) -> Vec<String> {
    let mut problems = Vec::new();
    if !inherits(manifest.get("lints")) {
        problems.push("write `[lints]` with `workspace = true`".to_owned());
    }
    let package = manifest.get("package");
    for key in INHERITED {
        if !inherits(package.and_then(|package| package.get(key))) {
            problems.push(format!("write `{key}.workspace = true`"));
        }
    }
    if package
        .and_then(|package| package.get("rust-version"))
        .is_none()
    {
        problems.push("`rust-version` is missing".to_owned());
    }
    problems
}

fn of_published(member: Package<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    if member.text("description").is_none() {
        problems.push("`description` is missing".to_owned());
    }
    if member.is_private() {
        return problems;
    }
    for key in ["categories", "keywords"] {
        // The registry takes at most five of each.
        if !(1..=5).contains(&member.count(key)) {
            problems.push(format!("`{key}` needs one to five entries"));
        }
    }
    problems
}

fn inherits(value: Option<&Value>) -> bool {
    value
        .and_then(|value| value.get("workspace"))
        .and_then(Value::as_bool)
        == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_not_inherited() -> Outcome {
        let good = r#"
            [package]
            version.workspace = true
            edition.workspace = true
            license.workspace = true
            rust-version = "1.88"
            [lints]
            workspace = true
        "#;
        assert!(problems(&toml::from_str(good)?).is_empty());
        let bad = good
            .replace("[lints]", "[other]")
            .replace("rust-version", "rust");
        assert_eq!(problems(&toml::from_str(&bad)?).len(), 2);
        Ok(())
    }
}
