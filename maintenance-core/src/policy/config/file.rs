//! Reading the configuration with every complaint at once, each with its line.

use std::path::{Path, PathBuf};

use serde_path_to_error::Segment;
use toml::Table;
use toml::de::{DeTable, DeValue};

use super::{Config, environment};
use crate::policy::{Complaints, Policy};

/// A configuration with the folder that its relative paths start from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// What was configured.
    pub config: Config,
    /// The folder of the file; the working folder without one.
    pub base: PathBuf,
    /// What is odd without being wrong: environment variables that look like ours and are not known.
    pub warnings: Complaints,
}

impl Config {
    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the text's syntax, keys and types.
    pub fn from_toml(text: &str) -> Result<Self, Complaints> {
        Self::from_toml_and_environment(text, "", std::iter::empty()).map(|(config, _)| config)
    }

    /// Reads a file, and the `MAINTENANCE_*` variables of `environment`, which win. Without a file, the
    /// environment alone.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, and everything that is wrong with its syntax, keys and types.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Loaded, Complaints> {
        let (text, name, base) = open(file)?;
        let (config, warnings) = Self::from_toml_and_environment(&text, &name, environment)?;
        Ok(Loaded {
            config,
            base,
            warnings,
        })
    }

    fn from_toml_and_environment(
        text: &str,
        name: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Complaints), Complaints> {
        let lines = Lines { text, name };
        let mut read = Reading::begin(lines, environment)?;
        read.overlay.locate(&mut read.complaints, lines);
        read.complaints.none_or((read.config, read.warnings))
    }
}

/// A compiled configuration with the folder that its relative paths start from.
#[derive(Debug)]
#[non_exhaustive]
pub struct LoadedPolicy {
    /// What was configured, compiled.
    pub policy: Policy,
    /// The folder of the file; the working folder without one.
    pub base: PathBuf,
    /// What is odd without being wrong, each with its line or variable.
    pub warnings: Complaints,
}

impl Policy {
    /// Reads as [`Config::load`] does and compiles, so that what is wrong with keys and what is wrong with
    /// rules is said at once, each with its line or variable. What was wrong as a value is left out when the
    /// rest is compiled.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, and everything that is wrong with it.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<LoadedPolicy, Complaints> {
        let (text, name, base) = open(file)?;
        let lines = Lines {
            text: &text,
            name: &name,
        };
        let mut read = Reading::begin(lines, environment)?;
        let policy = match Self::builder(read.config).base(&base).build() {
            Ok(policy) => Some(policy),
            Err(more) => {
                read.complaints.add_where_nothing_was_said(more);
                None
            }
        };
        read.overlay.locate(&mut read.complaints, lines);
        match (policy, read.complaints.is_empty()) {
            (Some(policy), true) => {
                let mut warnings = policy.warnings().clone();
                read.overlay.locate(&mut warnings, lines);
                warnings.append(read.warnings);
                Ok(LoadedPolicy {
                    policy,
                    base,
                    warnings,
                })
            }
            _ => Err(read.complaints),
        }
    }
}

/// The text, its name, and its folder.
fn open(file: Option<&Path>) -> Result<(String, String, PathBuf), Complaints> {
    let Some(file) = file else {
        return Ok(Default::default());
    };
    let name = file.display().to_string();
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
            Ok((text, name, base))
        }
        Err(error) => {
            let mut complaints = Complaints::new();
            complaints.add_with_hint(
                &name,
                format_args!("cannot be read: {error}"),
                "name the configuration with --config FILE or MAINTENANCE_CONFIG",
            );
            Err(complaints)
        }
    }
}

/// What was read so far, with places as keys.
struct Reading {
    config: Config,
    overlay: environment::Overlay,
    complaints: Complaints,
    warnings: Complaints,
}

impl Reading {
    /// Reads everything that can be read.
    ///
    /// # Errors
    ///
    /// The text is not TOML.
    fn begin(
        lines: Lines<'_>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Complaints> {
        let mut complaints = Complaints::new();
        let mut table = match lines.text.parse::<Table>() {
            Ok(table) => table,
            Err(error) => {
                let line = error.span().map(|span| lines.line_of(span.start));
                complaints.add(
                    lines.place("", line),
                    format_args!("not TOML: {}", error.message()),
                );
                return Err(complaints);
            }
        };
        let mut warnings = Complaints::new();
        let overlay =
            environment::Overlay::apply(&mut table, environment, &mut complaints, &mut warnings);
        let config = deserialize_all(table, &mut complaints);
        Ok(Self {
            config,
            overlay,
            complaints,
            warnings,
        })
    }
}

impl environment::Overlay {
    /// Turns keys into the line or variable that they came from.
    fn locate(&self, complaints: &mut Complaints, lines: Lines<'_>) {
        complaints.rename_places(|place| match self.variable_of(place) {
            Some(variable) => format!("{variable} ({place})"),
            None => lines.place(place, lines.find(place)),
        });
    }
}

/// Reads, complains, takes the bad value out, and reads again, until nothing is left to complain of.
fn deserialize_all(mut table: Table, complaints: &mut Complaints) -> Config {
    let mut taken_out: Vec<Vec<Step>> = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize(table.clone()) {
            Ok(config) => return config,
            Err(error) => error,
        };
        let steps = steps_to(&error);
        complain(
            &error.inner().to_string(),
            &original_place(&steps, &taken_out),
            complaints,
        );
        if !take_out(&mut table, &steps) {
            return Config::default();
        }
        taken_out.push(steps);
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

fn steps_to<E>(error: &serde_path_to_error::Error<E>) -> Vec<Step> {
    error
        .path()
        .iter()
        .filter_map(|segment| match segment {
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// The place as the author counts, with the list elements in it that were taken out before.
fn original_place(steps: &[Step], taken_out: &[Vec<Step>]) -> String {
    let mut place = String::new();
    for (depth, step) in steps.iter().enumerate() {
        match step {
            Step::Key(key) if place.is_empty() => place.push_str(key),
            Step::Key(key) => {
                place.push('.');
                place.push_str(key);
            }
            Step::Index(index) => {
                let mut index = *index;
                for gone in taken_out {
                    if gone.len() == depth + 1 && gone[..depth] == steps[..depth] {
                        index += 1;
                    }
                }
                place.push_str(&format!("[{index}]"));
            }
        }
    }
    place
}

fn take_out(table: &mut Table, steps: &[Step]) -> bool {
    let Some((last, way)) = steps.split_last() else {
        return false;
    };
    let Some((Step::Key(first), way)) = way.split_first() else {
        return matches!(last, Step::Key(key) if table.remove(key).is_some());
    };
    let mut value = table.get_mut(first);
    for step in way {
        value = match (step, value) {
            (Step::Key(key), Some(toml::Value::Table(table))) => table.get_mut(key),
            (Step::Index(index), Some(toml::Value::Array(array))) => array.get_mut(*index),
            _ => return false,
        };
    }
    match (last, value) {
        (Step::Key(key), Some(toml::Value::Table(table))) => table.remove(key).is_some(),
        (Step::Index(index), Some(toml::Value::Array(array))) if *index < array.len() => {
            array.remove(*index);
            true
        }
        _ => false,
    }
}

fn complain(message: &str, place: &str, complaints: &mut Complaints) {
    let message = message.trim();
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return complaints.add(place, message);
    };
    let (key, expected) = rest.split_once('`').unwrap_or((rest, ""));
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let hint = match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "no key is known here".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    };
    complaints.add_with_hint(place, format_args!("unknown key `{key}`"), hint);
}

/// The candidate that a typing error would turn into `word`.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Finds the line of a key such as `sites.shop.allow.paths[2]`.
#[derive(Clone, Copy)]
struct Lines<'a> {
    text: &'a str,
    name: &'a str,
}

impl Lines<'_> {
    fn place(&self, key: &str, line: Option<usize>) -> String {
        let file = match (self.name, line) {
            ("", None) => return key.to_owned(),
            ("", Some(line)) => format!("line {line}"),
            (name, None) => name.to_owned(),
            (name, Some(line)) => format!("{name}:{line}"),
        };
        if key.is_empty() {
            file
        } else {
            format!("{file}: {key}")
        }
    }

    fn line_of(&self, offset: usize) -> usize {
        1 + self
            .text
            .as_bytes()
            .iter()
            .take(offset)
            .filter(|b| **b == b'\n')
            .count()
    }

    fn find(&self, place: &str) -> Option<usize> {
        let table = DeTable::parse(self.text).ok()?;
        let mut offset = None;
        let mut value: Option<&DeValue<'_>> = None;
        let mut inside: Option<&DeTable<'_>> = Some(table.get_ref());
        for step in place.split(['.', '[']) {
            if let Some(index) = step.strip_suffix(']') {
                let Some(DeValue::Array(array)) = value else {
                    break;
                };
                let Some(element) = index.parse().ok().and_then(|i: usize| array.get(i)) else {
                    break;
                };
                offset = Some(element.span().start);
                value = Some(element.get_ref());
            } else {
                let Some((key, found)) = inside.and_then(|t| t.get_key_value(step)) else {
                    break;
                };
                offset = Some(key.span().start);
                value = Some(found.get_ref());
            }
            inside = match value {
                Some(DeValue::Table(table)) => Some(table),
                _ => None,
            };
        }
        offset.map(|offset| self.line_of(offset))
    }
}
