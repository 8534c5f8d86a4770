//! Whether every dependency may be used, and comes from the registry: the rules of `deny.toml`.

use std::fs;

use toml::{Table, Value};

use super::metadata::{Metadata, Package};
use crate::failure::{Failure, Outcome};
use crate::shell::{cargo, root, run, succeeds};

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(metadata: &Metadata) -> Outcome {
    let rules = Rules::read()?;
    let mut wrong = Vec::new();
    let mut checked = 0;
    for package in metadata.packages() {
        checked += 1;
        wrong.extend(rules.complaint(package));
    }
    println!("{checked} packages");
    if !wrong.is_empty() {
        return Err(Failure::new(wrong.join("\n")));
    }
    if succeeds(&mut cargo(&["deny", "--version"])) {
        run(&mut cargo(&[
            "deny", "check", "licenses", "bans", "sources",
        ]))?;
    }
    Ok(())
}

/// What `deny.toml` says of licences.
struct Rules {
    allowed: Vec<String>,
    /// A package, and what it may have beside.
    exceptions: Vec<(String, Vec<String>)>,
    banned: Vec<String>,
}

impl Rules {
    fn read() -> Outcome<Self> {
        let text = fs::read_to_string(root().join("deny.toml"))
            .map_err(|error| Failure::from(error).while_doing("deny.toml"))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Outcome<Self> {
        let file: Table = toml::from_str(text)?;
        let licences = section(&file, "licenses")?;
        let exceptions = licences.get("exceptions").and_then(Value::as_array);
        let this = Self {
            allowed: texts(licences.get("allow")),
            exceptions: exceptions
                .into_iter()
                .flatten()
                .map(|exception| {
                    let name = exception.get("crate").and_then(Value::as_str);
                    (
                        name.unwrap_or_default().to_owned(),
                        texts(exception.get("allow")),
                    )
                })
                .collect(),
            banned: texts(section(&file, "bans")?.get("deny")),
        };
        if this.allowed.is_empty() {
            return Err(Failure::new("deny.toml allows no licence at all"));
        }
        Ok(this)
    }

    fn complaint(&self, package: Package<'_>) -> Option<String> {
        let named = format!("{} {}", package.name(), package.version());
        if self.banned.iter().any(|banned| banned == package.name()) {
            return Some(format!("{named} is banned in deny.toml"));
        }
        if let Some(source) = package.text("source").filter(|source| *source != REGISTRY) {
            return Some(format!("{named} comes from {source}"));
        }
        let Some(licence) = package.text("license") else {
            return Some(format!("{named} names no licence"));
        };
        let allowed = |name: &str| self.allows(package.name(), name);
        match Expression::new(licence).admits(&allowed) {
            Some(true) => None,
            Some(false) => Some(format!(
                "{named} has `{licence}`, which deny.toml does not allow"
            )),
            None => Some(format!("{named}: `{licence}` cannot be read")),
        }
    }

    fn allows(&self, package: &str, licence: &str) -> bool {
        let excepted = self
            .exceptions
            .iter()
            .filter(|(name, _)| name == package)
            .flat_map(|(_, allowed)| allowed);
        self.allowed
            .iter()
            .chain(excepted)
            .any(|name| name == licence)
    }
}

fn section<'a>(file: &'a Table, name: &str) -> Outcome<&'a Table> {
    file.get(name)
        .and_then(Value::as_table)
        .ok_or_else(|| Failure::new(format!("deny.toml has no [{name}]")))
}

fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|value| value.as_str().map(ToOwned::to_owned))
        .collect()
}

/// An SPDX licence expression (SPDX 3.0.1, annex B), and the old form with slashes, which means OR.
struct Expression {
    words: Vec<String>,
    at: usize,
}

impl Expression {
    fn new(text: &str) -> Self {
        let spaced = text
            .replace('(', " ( ")
            .replace(')', " ) ")
            .replace('/', " OR ");
        Self {
            words: spaced.split_whitespace().map(ToOwned::to_owned).collect(),
            at: 0,
        }
    }

    /// Whether the expression can be met by allowed licences alone; `None` if it cannot be read.
    fn admits(mut self, allowed: &impl Fn(&str) -> bool) -> Option<bool> {
        let met = self.any(allowed)?;
        (self.at == self.words.len()).then_some(met)
    }

    fn any(&mut self, allowed: &impl Fn(&str) -> bool) -> Option<bool> {
        let mut met = self.all(allowed)?;
        while self.takes("OR") {
            met |= self.all(allowed)?;
        }
        Some(met)
    }

    fn all(&mut self, allowed: &impl Fn(&str) -> bool) -> Option<bool> {
        let mut met = self.one(allowed)?;
        while self.takes("AND") {
            met &= self.one(allowed)?;
        }
        Some(met)
    }

    fn one(&mut self, allowed: &impl Fn(&str) -> bool) -> Option<bool> {
        if self.takes("(") {
            let met = self.any(allowed)?;
            return self.takes(")").then_some(met);
        }
        let mut name = self.next()?;
        if matches!(name.as_str(), "OR" | "AND" | "WITH" | ")") {
            return None;
        }
        if self.takes("WITH") {
            name = format!("{name} WITH {}", self.next()?);
        }
        Some(allowed(&name))
    }

    fn takes(&mut self, word: &str) -> bool {
        let there = self.words.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(there);
        there
    }

    fn next(&mut self) -> Option<String> {
        let word = self.words.get(self.at).cloned();
        self.at += 1;
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(expression: &str) -> Option<bool> {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"];
        Expression::new(expression).admits(&|name: &str| allowed.contains(&name))
    }

    #[test]
    fn reads_expressions() {
        assert_eq!(admits("MIT"), Some(true));
        assert_eq!(admits("GPL-3.0-or-later"), Some(false));
        assert_eq!(admits("GPL-3.0-or-later OR MIT"), Some(true));
        assert_eq!(admits("MIT/Unlicense"), Some(true));
        assert_eq!(admits("MIT AND BSD-3-Clause"), Some(false));
        assert_eq!(admits("(MIT OR GPL-2.0) AND Apache-2.0"), Some(true));
        assert_eq!(admits("MIT OR GPL-2.0 AND GPL-3.0"), Some(true));
        assert_eq!(admits("Apache-2.0 WITH LLVM-exception"), Some(true));
        assert_eq!(admits("MIT WITH LLVM-exception"), Some(false));
        assert_eq!(admits("(MIT"), None);
        assert_eq!(admits("MIT OR"), None);
        assert_eq!(admits("MIT Apache-2.0"), None);
        assert_eq!(admits(""), None);
    }

    #[test]
    fn an_exception_is_for_one_package_alone() -> Outcome {
        let rules = Rules::parse(
            r#"
            [licenses]
            allow = ["MIT"]
            exceptions = [{ crate = "notify", allow = ["CC0-1.0"] }]
            [bans]
            deny = ["left-pad"]
            "#,
        )?;
        assert!(rules.allows("notify", "CC0-1.0"));
        assert!(!rules.allows("other", "CC0-1.0"));
        assert!(rules.allows("other", "MIT"));
        assert_eq!(rules.banned, ["left-pad"]);
        Ok(())
    }
}
