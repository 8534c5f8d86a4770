//! Path rules: the compiled tree against the plain comparison, one rule at a time and several together.

use std::sync::Arc;

use maintenance_mode::path::CanonicalPath;
use maintenance_mode::{Config, Facts, Mode, PathRuleConfig, Policy, Reason, Snapshot, Timestamp};

use crate::Target;
use crate::fields::text;

/// Of [`maintenance_mode::policy::paths`](PathRuleConfig).
pub const TARGET: Target = Target {
    name: "rules",
    run,
    words: &[
        "exact ", "prefix ", "glob ", "/admin", "/*", "/**", "/a", "/b", "/", "%C3%A9", "%c3%a9",
        "é", "/a/*/c", "\n", "\n\n", "*",
    ],
};

/// At most this many rules are taken from one input.
const MAX_RULES: usize = 16;

/// A rule as `exact PATH`, `prefix PATH` or `glob PATH`.
struct Rule<'a> {
    kind: &'a str,
    path: &'a str,
}

/// Rules in lines, an empty line, then paths in lines.
pub fn run(mut data: &[u8]) {
    let mut rules = Vec::new();
    loop {
        let line = text(&mut data);
        match line.split_once(' ') {
            Some((kind @ ("exact" | "prefix" | "glob"), path)) if rules.len() < MAX_RULES => {
                rules.push(Rule { kind, path });
            }
            _ => break,
        }
    }
    let mut config = Config::new().mode(Mode::Offline).health([] as [&str; 0]);
    for rule in &rules {
        config = config.allow_path(match rule.kind {
            "exact" => PathRuleConfig::exact(rule.path),
            "prefix" => PathRuleConfig::prefix(rule.path),
            _ => PathRuleConfig::glob(rule.path),
        });
    }
    let policy = match Policy::compile(config) {
        Ok(policy) => policy,
        Err(complaints) => {
            for complaint in &complaints {
                assert!(complaint.place().starts_with("allow.paths"), "{complaint}");
            }
            return;
        }
    };
    let snapshot = Snapshot::new(Arc::new(policy), None);
    while !data.is_empty() {
        let path = text(&mut data);
        let decision = snapshot.decide(&Facts::new("GET", path), Timestamp::from_millis(0));
        let expected = rules.iter().any(|rule| rule.matches(path));
        assert_eq!(
            decision.is_allowed(),
            expected,
            "path {path:?}: {:?}",
            decision.reason()
        );
        if expected {
            assert_eq!(decision.reason(), Reason::Path);
        }
    }
}

impl Rule<'_> {
    /// The definition in the documentation, word for word.
    fn matches(&self, path: &str) -> bool {
        let Ok(path) = CanonicalPath::parse(path) else {
            return false;
        };
        let path = path.upper_hex();
        let rule = escaped(self.path);
        match self.kind {
            "exact" => path == rule,
            "prefix" => is_at_or_below(&path, &rule),
            _ => {
                let (base, open) = match rule.strip_suffix("/**") {
                    Some(base) => (base, true),
                    None => (rule.as_str(), false),
                };
                let stars: Vec<&str> = base.split('/').collect();
                let segments: Vec<&str> = path.split('/').collect();
                let long_enough =
                    segments.len() == stars.len() || open && segments.len() > stars.len();
                long_enough
                    && stars.iter().zip(&segments).all(|(star, segment)| {
                        star == segment || *star == "*" && !segment.is_empty()
                    })
            }
        }
    }
}

fn is_at_or_below(path: &str, base: &str) -> bool {
    path.strip_prefix(base)
        .is_some_and(|rest| rest.is_empty() || base.ends_with('/') || rest.starts_with('/'))
}

/// Letters outside ASCII as escapes, and hexadecimal digits of escapes in upper case.
fn escaped(rule: &str) -> String {
    let mut text = String::new();
    let mut digits = 0;
    for c in rule.chars() {
        if c.is_ascii() {
            text.push(if digits > 0 {
                c.to_ascii_uppercase()
            } else {
                c
            });
            digits = if c == '%' {
                2
            } else {
                digits - i32::from(digits > 0)
            };
        } else {
            for byte in c.to_string().bytes() {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    text
}
