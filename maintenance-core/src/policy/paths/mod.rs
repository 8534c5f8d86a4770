//! Path rules: exact, prefix, glob, anchored regular expression, everything, and the asterisk form.

mod config;
mod rule;
mod trie;

pub use config::{PathRuleConfig, PathRuleTable};

use std::borrow::Cow;
use std::ops::ControlFlow;

use regex::{RegexSet, RegexSetBuilder};

use super::Complaints;
use crate::path::{CanonicalPath, NonCanonical};
use crate::request::Facts;
use rule::{Kind, PathRule};
use trie::Trie;

/// The paths of one request: the original one, and the router's where that differs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RequestPaths<'a> {
    /// `OPTIONS *`.
    Asterisk,
    /// Both are canonical.
    Canonical {
        original: CanonicalPath<'a>,
        routed: Option<CanonicalPath<'a>>,
    },
    /// One of them is not: no rule applies.
    Ambiguous(NonCanonical),
}

impl<'a> RequestPaths<'a> {
    pub(crate) fn of(facts: &Facts<'a>) -> Self {
        if facts.path == "*" {
            let plain = facts.method == "OPTIONS" && facts.routed_path.is_none_or(|p| p == "*");
            return if plain {
                Self::Asterisk
            } else {
                Self::Ambiguous(NonCanonical::NoLeadingSlash)
            };
        }
        let original = match CanonicalPath::parse(facts.path) {
            Ok(path) => path,
            Err(why) => return Self::Ambiguous(why),
        };
        match facts
            .routed_path
            .filter(|routed| *routed != facts.path)
            .map(CanonicalPath::parse)
        {
            None => Self::Canonical {
                original,
                routed: None,
            },
            Some(Ok(routed)) => Self::Canonical {
                original,
                routed: Some(routed),
            },
            Some(Err(why)) => Self::Ambiguous(why),
        }
    }
}

/// Compiled path rules. A match costs the same with one rule and with ten thousand.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathRules {
    rules: Vec<PathRule>,
    trie: Trie,
    patterns: Option<RegexSet>,
    pattern_rules: Vec<u32>,
    everything: Vec<u32>,
    asterisk: Vec<u32>,
}

/// How much memory one set of regular expressions may take when compiled.
const REGEX_SIZE_LIMIT: usize = 16 << 20;

impl PathRules {
    pub(crate) fn compile(
        configs: &[PathRuleConfig],
        place: &str,
        complaints: &mut Complaints,
    ) -> Self {
        let mut this = Self::default();
        let mut patterns = Vec::new();
        for (index, config) in configs.iter().enumerate() {
            let place = if configs.len() == 1 && !place.ends_with('s') {
                Cow::Borrowed(place)
            } else {
                Cow::Owned(format!("{place}[{index}]"))
            };
            let Some(rule) = PathRule::compile(config, &place, complaints) else {
                continue;
            };
            let number = u32::try_from(this.rules.len()).unwrap_or(u32::MAX);
            match &rule.kind {
                Kind::Regex(pattern) => {
                    patterns.push(pattern.clone());
                    this.pattern_rules.push(number);
                }
                Kind::All => this.everything.push(number),
                Kind::Asterisk => this.asterisk.push(number),
                Kind::Exact(_) | Kind::Prefix(_) | Kind::Glob { .. } => {}
            }
            this.rules.push(rule);
        }
        this.trie = Trie::build(&this.rules);
        if !patterns.is_empty() {
            match RegexSetBuilder::new(&patterns)
                .size_limit(REGEX_SIZE_LIMIT)
                .build()
            {
                Ok(set) => this.patterns = Some(set),
                Err(_) => complaints.add_with_hint(
                    place,
                    format_args!(
                        "the {} regular expressions are too large together",
                        patterns.len()
                    ),
                    "use exact, prefix or glob rules, which may number ten thousands",
                ),
            }
        }
        this
    }

    /// Whether some rule admits the request; which one is not said, because nobody pays for it.
    pub(crate) fn admits(&self, paths: RequestPaths<'_>, facts: &Facts<'_>) -> bool {
        !self.rules.is_empty()
            && self
                .each_match(paths, facts, &mut |_| ControlFlow::Break(()))
                .is_break()
    }

    /// The first rule, in the order of the configuration, that admits the request.
    pub(crate) fn first(&self, paths: RequestPaths<'_>, facts: &Facts<'_>) -> Option<&PathRule> {
        let mut first: Option<u32> = None;
        let _: ControlFlow<()> = self.each_match(paths, facts, &mut |number| {
            first = Some(first.map_or(number, |f| f.min(number)));
            ControlFlow::Continue(())
        });
        first.and_then(|number| self.rules.get(number as usize))
    }

    fn each_match(
        &self,
        paths: RequestPaths<'_>,
        facts: &Facts<'_>,
        found: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut consider = |number: u32| -> ControlFlow<()> {
            let admits = self
                .rules
                .get(number as usize)
                .is_some_and(|r| r.admits(paths, facts));
            if admits {
                found(number)
            } else {
                ControlFlow::Continue(())
            }
        };
        let original = match paths {
            RequestPaths::Ambiguous(_) => return ControlFlow::Continue(()),
            RequestPaths::Asterisk => return self.asterisk.iter().try_for_each(|n| consider(*n)),
            RequestPaths::Canonical { original, .. } => original,
        };
        self.trie.each_match(original, &mut consider)?;
        if let Some(patterns) = &self.patterns {
            let text = original.upper_hex();
            for matched in &patterns.matches(&text) {
                consider(self.pattern_rules[matched])?;
            }
        }
        self.everything.iter().try_for_each(|n| consider(*n))
    }
}

#[cfg(test)]
mod tests;
