//! Path rules: exact, prefix, glob, anchored regular expression, everything, and the asterisk form.

mod config;
mod rule;
mod trie;

pub use config::{PathRuleConfig, PathRuleTable};

use regex::{RegexSet, RegexSetBuilder};

use super::Complaints;
use crate::decision::Reason;
use crate::path::{CanonicalPath, NonCanonical};
use crate::request::Facts;
use rule::Kind;
pub(crate) use rule::PathRule;
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
    #[inline]
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

/// No rule.
const NONE: u32 = u32::MAX;

impl PathRules {
    /// Compiles one list, whose rules open for one reason.
    pub(crate) fn compile(
        configs: &[PathRuleConfig],
        opens: Reason,
        place: &str,
        complaints: &mut Complaints,
    ) -> Self {
        let mut rules = Vec::with_capacity(configs.len());
        add_rules(&mut rules, configs, opens, place, complaints);
        Self::from_rules(rules, place, complaints)
    }

    /// Puts rules together; the earlier one is the reason when several match.
    pub(crate) fn from_rules(
        rules: Vec<PathRule>,
        place: &str,
        complaints: &mut Complaints,
    ) -> Self {
        let mut this = Self {
            trie: Trie::build(&rules),
            ..Self::default()
        };
        let mut patterns = Vec::new();
        for (rule, number) in rules.iter().zip(0..) {
            match &rule.kind {
                Kind::Regex(pattern) => {
                    patterns.push(pattern.clone());
                    this.pattern_rules.push(number);
                }
                Kind::All => this.everything.push(number),
                Kind::Asterisk => this.asterisk.push(number),
                Kind::Exact(_) | Kind::Prefix(_) | Kind::Glob { .. } => {}
            }
        }
        this.rules = rules;
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

    /// Whether some rule admits the request.
    pub(crate) fn admits(&self, paths: &RequestPaths<'_>, facts: &Facts<'_>) -> bool {
        self.first(paths, facts).is_some()
    }

    /// The first rule, in the order of the configuration, that admits the request.
    pub(crate) fn first(&self, paths: &RequestPaths<'_>, facts: &Facts<'_>) -> Option<&PathRule> {
        let mut first = NONE;
        let mut consider = |number: u32| {
            let earlier = number < first;
            if earlier && self.rules[number as usize].admits(paths, facts) {
                first = number;
            }
        };
        match *paths {
            RequestPaths::Ambiguous(_) => {}
            RequestPaths::Asterisk => self.asterisk.iter().for_each(|n| consider(*n)),
            RequestPaths::Canonical { original, .. } => {
                self.trie.each_match(original, &mut consider);
                if let Some(patterns) = &self.patterns {
                    let text = original.upper_hex();
                    patterns
                        .matches(&text)
                        .iter()
                        .for_each(|i| consider(self.pattern_rules[i]));
                }
                self.everything.iter().for_each(|n| consider(*n));
            }
        }
        self.rules.get(first as usize)
    }
}

/// Compiles one list onto the end of `rules`.
pub(crate) fn add_rules(
    rules: &mut Vec<PathRule>,
    configs: &[PathRuleConfig],
    opens: Reason,
    place: &str,
    complaints: &mut Complaints,
) {
    for (index, config) in configs.iter().enumerate() {
        let place = || format!("{place}[{index}]");
        rules.extend(PathRule::compile(config, opens, &place, complaints));
    }
}

#[cfg(test)]
mod tests;
