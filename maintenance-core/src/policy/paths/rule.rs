//! One compiled path rule.

use regex::{Regex, RegexBuilder};

use super::config::{PathRuleConfig, PathRuleTable};
use super::{REGEX_SIZE_LIMIT, RequestPaths};
use crate::decision::Reason;
use crate::path::{CanonicalPath, canonical_literal, cure};
use crate::policy::Complaints;
use crate::policy::method::{Methods, preflighted_method};
use crate::request::Facts;

/// The longest literal rule. It also bounds how deep the tree of rules can be.
const MAX_RULE_BYTES: usize = 1024;

/// What a rule compares. Literal text is canonical, with upper-case hexadecimal digits.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Exact(Box<str>),
    Prefix(Box<str>),
    /// Segments after the first slash; `None` is a star. `open` has everything below as well.
    Glob {
        segments: Vec<Option<Box<str>>>,
        open: bool,
    },
    /// Anchored.
    Regex(String),
    All,
    Asterisk,
}

#[derive(Clone, Debug)]
pub(crate) struct PathRule {
    pub(crate) kind: Kind,
    /// Why the request is let through when this rule matches.
    pub(crate) opens: Reason,
    regex: Option<Regex>,
    methods: Option<Methods>,
    shown: Box<str>,
}

impl PathRule {
    pub(crate) fn compile(
        config: &PathRuleConfig,
        opens: Reason,
        place: &dyn Fn() -> String,
        complaints: &mut Complaints,
    ) -> Option<Self> {
        let table = config.table();
        let methods = table
            .methods
            .as_ref()
            .map(|names| Methods::compile(names, &format!("{}.methods", place()), complaints));
        if table.methods.as_ref().is_some_and(Vec::is_empty) {
            complaints.add_with_hint(
                format_args!("{}.methods", place()),
                "an empty list of methods matches nothing",
                "leave `methods` out to match every method",
            );
        }
        let (kind, regex) = compile_kind(&table, place, complaints)?;
        Some(Self {
            kind,
            opens,
            regex,
            methods,
            shown: config.to_string().into(),
        })
    }

    /// The rule as configured.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether the rule matches each view of the path, and each method that a layer may see.
    pub(crate) fn admits(&self, paths: &RequestPaths<'_>, facts: &Facts<'_>) -> bool {
        let path_matches = match *paths {
            RequestPaths::Ambiguous(_) => false,
            RequestPaths::Asterisk => matches!(self.kind, Kind::Asterisk),
            RequestPaths::Canonical { original, routed } => {
                self.matches(original) && routed.is_none_or(|routed| self.matches(routed))
            }
        };
        path_matches && self.admits_method(facts)
    }

    /// A CORS preflight is judged as the request that it asks for, so that the application's own CORS
    /// layer answers it exactly when it will see that request.
    fn admits_method(&self, facts: &Facts<'_>) -> bool {
        let Some(methods) = &self.methods else {
            return true;
        };
        methods.admits(facts)
            || preflighted_method(facts).is_some_and(|asked| {
                methods.admits(&Facts {
                    method: asked,
                    effective_method: None,
                    ..*facts
                })
            })
    }

    fn matches(&self, path: CanonicalPath<'_>) -> bool {
        match &self.kind {
            Kind::Exact(text) => path.len() == text.len() && path.has_at(0, text.as_bytes()),
            Kind::Prefix(text) => {
                path.has_at(0, text.as_bytes())
                    && (path.len() == text.len()
                        || text.ends_with('/')
                        || path.as_str().as_bytes()[text.len()] == b'/')
            }
            Kind::Glob { segments, open } => glob_matches(path, segments, *open),
            Kind::Regex(_) => self
                .regex
                .as_ref()
                .is_some_and(|r| r.is_match(&path.upper_hex())),
            Kind::All => true,
            Kind::Asterisk => false,
        }
    }
}

fn glob_matches(path: CanonicalPath<'_>, segments: &[Option<Box<str>>], open: bool) -> bool {
    let mut at = 1;
    for (index, segment) in segments.iter().enumerate() {
        let rest = &path.as_str().as_bytes()[at.min(path.len())..];
        let length = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
        let fits = match segment {
            None => length > 0,
            Some(text) => text.len() == length && path.has_at(at, text.as_bytes()),
        };
        if !fits {
            return false;
        }
        at += length;
        if index + 1 < segments.len() {
            if at >= path.len() {
                return false;
            }
            at += 1;
        }
    }
    at == path.len() || open && path.as_str().as_bytes().get(at) == Some(&b'/')
}

fn compile_kind(
    table: &PathRuleTable,
    place: &dyn Fn() -> String,
    complaints: &mut Complaints,
) -> Option<(Kind, Option<Regex>)> {
    let given = [
        ("exact", table.exact.is_some()),
        ("prefix", table.prefix.is_some()),
        ("glob", table.glob.is_some()),
        ("regex", table.regex.is_some()),
        ("all", table.all),
        ("asterisk", table.asterisk),
    ];
    let kinds: Vec<&str> = given
        .iter()
        .filter(|(_, given)| *given)
        .map(|(name, _)| *name)
        .collect();
    if kinds.len() != 1 {
        let problem = if kinds.is_empty() {
            "the rule says no path".to_owned()
        } else {
            format!("the rule has {} at once", kinds.join(" and "))
        };
        complaints.add_with_hint(
            place(),
            problem,
            "give one of exact, prefix, glob, regex, all = true or asterisk = true",
        );
        return None;
    }
    if table.all {
        Some((Kind::All, None))
    } else if table.asterisk {
        Some((Kind::Asterisk, None))
    } else if let Some(text) = &table.exact {
        literal(text, place, complaints).map(|text| (Kind::Exact(text), None))
    } else if let Some(text) = &table.prefix {
        prefix(text, place, complaints).map(|text| (Kind::Prefix(text), None))
    } else if let Some(text) = &table.glob {
        glob(text, place, complaints).map(|kind| (kind, None))
    } else {
        let regex = anchored(
            table.regex.as_deref().unwrap_or_default(),
            place,
            complaints,
        )?;
        Some((Kind::Regex(regex.as_str().to_owned()), Some(regex)))
    }
}

fn literal(
    text: &str,
    place: &dyn Fn() -> String,
    complaints: &mut Complaints,
) -> Option<Box<str>> {
    if text.len() > MAX_RULE_BYTES {
        complaints.add(
            place(),
            format_args!(
                "the path has {} bytes; at most {MAX_RULE_BYTES} are allowed",
                text.len()
            ),
        );
        return None;
    }
    match canonical_literal(text) {
        Ok(path) => Some(path.into()),
        Err(why) => {
            complaints.add_with_hint(
                place(),
                format_args!("`{text}` can never match: only canonical paths match a rule ({why})"),
                cure(why),
            );
            None
        }
    }
}

fn prefix(text: &str, place: &dyn Fn() -> String, complaints: &mut Complaints) -> Option<Box<str>> {
    if text == "/" {
        refuse_everything("the prefix `/`", place, complaints);
        return None;
    }
    literal(text, place, complaints)
}

fn refuse_everything(what: &str, place: &dyn Fn() -> String, complaints: &mut Complaints) {
    complaints.add_with_hint(
        place(),
        format_args!("{what} exempts every path"),
        "write { all = true } if that is meant, best with `methods`; or { exact = \"/\" } for the root alone",
    );
}

fn glob(text: &str, place: &dyn Fn() -> String, complaints: &mut Complaints) -> Option<Kind> {
    let (base, open) = match text.strip_suffix("/**") {
        Some(base) => (base, true),
        None => (text, false),
    };
    if base.is_empty() && open {
        refuse_everything("the glob `/**`", place, complaints);
        return None;
    }
    let partial = base
        .split('/')
        .find(|segment| segment.contains('*') && *segment != "*");
    if let Some(segment) = partial {
        complaints.add_with_hint(
            place(),
            format_args!("`{text}`: the star in `{segment}` is not a whole segment"),
            "`*` stands for one whole segment and `/**` only at the end; use a regex for parts of a segment",
        );
        return None;
    }
    // Stars are plain characters of a canonical path, so the pattern is checked as one.
    let base = literal(base, place, complaints)?;
    let segments = base[1..]
        .split('/')
        .map(|s| (s != "*").then(|| s.into()))
        .collect();
    Some(Kind::Glob { segments, open })
}

fn anchored(
    pattern: &str,
    place: &dyn Fn() -> String,
    complaints: &mut Complaints,
) -> Option<Regex> {
    const HINT: &str = "the pattern is for the whole path, without query; look-around and back-references need \
                        a backtracking engine and are not offered";
    if pattern.is_empty() {
        complaints.add_with_hint(place(), "the regular expression is empty", HINT);
        return None;
    }
    let build = |pattern: &str| {
        RegexBuilder::new(pattern)
            .size_limit(REGEX_SIZE_LIMIT)
            .build()
    };
    // Alone first: `a)|(?:b` must not become well formed by the group around it.
    let compiled = build(pattern).and_then(|_| build(&format!(r"\A(?:{pattern})\z")));
    match compiled {
        Ok(regex) => Some(regex),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason
                .lines()
                .last()
                .unwrap_or_default()
                .trim()
                .trim_start_matches("error: ");
            complaints.add_with_hint(place(), format_args!("`{pattern}`: {reason}"), HINT);
            None
        }
    }
}
