//! `MAINTENANCE_*` variables, which win over the file.

use toml::{Table, Value};

use super::file::nearest;
use crate::policy::Complaints;

const PREFIX: &str = "MAINTENANCE_";

/// The variables of this process, for [`super::Config::load`]. Those that are not Unicode are none of ours.
pub fn process_environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// How the text of a variable becomes a value.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Bool,
    Number,
    /// A number if it is one, otherwise text.
    TextOrNumber,
    /// Separated by commas, or a TOML list.
    List,
    /// A TOML table or list, or text.
    Toml,
}

/// Every key outside `sites`, as `section.key`.
const KEYS: &[(&str, Kind)] = &[
    ("backend", Kind::Text),
    ("mode", Kind::Text),
    ("host.source", Kind::Text),
    ("host.unknown", Kind::Text),
    ("client_ip.source", Kind::Text),
    ("client_ip.trusted", Kind::List),
    ("client_ip.hops", Kind::Number),
    ("client_ip.trust_unix", Kind::Bool),
    ("logout.authenticated", Kind::Bool),
    ("logout.staff", Kind::Bool),
    ("logout.superuser", Kind::Bool),
    ("logout.cookies", Kind::List),
    ("read_only.safe_methods", Kind::List),
    ("state.poll_seconds", Kind::Number),
    ("state.on_stale", Kind::Text),
    ("state.initial", Kind::Text),
    ("state.last_known_good", Kind::Text),
];

/// The keys of `allow` and `answer`, which sites have as well.
const SITE_KEYS: &[(&str, Kind)] = &[
    ("allow.health", Kind::List),
    ("allow.paths", Kind::List),
    ("allow.addresses", Kind::List),
    ("allow.roles", Kind::List),
    ("allow.authenticated", Kind::Bool),
    ("allow.anonymous", Kind::Bool),
    ("allow.tests", Kind::Bool),
    ("allow.header.name", Kind::Text),
    ("allow.header.value", Kind::Text),
    ("allow.header.value_env", Kind::Text),
    ("allow.header.value_file", Kind::Text),
    ("answer.format", Kind::Text),
    ("answer.status", Kind::Number),
    ("answer.retry_after", Kind::TextOrNumber),
    ("answer.template", Kind::Text),
    ("answer.page", Kind::Text),
    ("answer.redirect", Kind::Text),
    ("answer.redirect_status", Kind::Number),
    ("answer.redirect_json", Kind::Bool),
    ("answer.languages", Kind::List),
    ("answer.title", Kind::Text),
    ("answer.message", Kind::Text),
    ("answer.cors", Kind::Toml),
    ("answer.event_stream", Kind::Bool),
    ("answer.surrogate_control", Kind::Bool),
    ("answer.assets", Kind::List),
    ("answer.rules", Kind::Toml),
];

const ONLY_SITE_KEYS: &[(&str, Kind)] = &[("hosts", Kind::List), ("mode", Kind::Text)];

/// Variables that belong to the command line and not to the configuration.
const NOT_KEYS: &[&str] = &["CONFIG"];

/// Which keys came from which variable.
#[derive(Default)]
pub(super) struct Overlay {
    keys: Vec<(String, String)>,
}

impl Overlay {
    pub(super) fn apply(
        table: &mut Table,
        environment: impl IntoIterator<Item = (String, String)>,
        complaints: &mut Complaints,
        warnings: &mut Complaints,
    ) -> Self {
        let sites: Vec<String> = match table.get("sites") {
            Some(Value::Table(sites)) => sites.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let known = known_keys(&sites);
        let mut overlay = Self::default();
        for (variable, text) in environment {
            let Some(name) = variable.strip_prefix(PREFIX) else {
                continue;
            };
            if NOT_KEYS.contains(&name) {
                continue;
            }
            let Some((_, key, kind)) = known.iter().find(|(known, _, _)| known == name) else {
                warn_unknown(&variable, name, &known, warnings);
                continue;
            };
            match read(&text, *kind) {
                Ok(value) => {
                    if insert(table, key, value) {
                        overlay.keys.push((key.clone(), variable));
                    } else {
                        complaints.add(
                            &variable,
                            format_args!(
                                "`{key}` cannot be set: a part of it is no table in the file"
                            ),
                        );
                    }
                }
                Err(problem) => complaints.add(&variable, problem),
            }
        }
        overlay
    }

    pub(super) fn variable_of(&self, place: &str) -> Option<&str> {
        self.keys
            .iter()
            .find(|(key, _)| {
                place
                    .strip_prefix(key.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
            })
            .map(|(_, variable)| variable.as_str())
    }
}

fn known_keys(sites: &[String]) -> Vec<(String, String, Kind)> {
    let spell = |key: &str| key.to_ascii_uppercase().replace(['.', '-'], "_");
    let mut known: Vec<(String, String, Kind)> = KEYS
        .iter()
        .chain(SITE_KEYS)
        .map(|(key, kind)| (spell(key), (*key).to_owned(), *kind))
        .collect();
    for site in sites {
        for (key, kind) in ONLY_SITE_KEYS.iter().chain(SITE_KEYS) {
            let key = format!("sites.{site}.{key}");
            known.push((spell(&key), key, *kind));
        }
    }
    known
}

/// Other programs name their variables as we do (Kubernetes makes `MAINTENANCE_PORT` for a service called
/// `maintenance`), so an unknown one is said and not refused.
fn warn_unknown(
    variable: &str,
    name: &str,
    known: &[(String, String, Kind)],
    warnings: &mut Complaints,
) {
    match nearest(name, known.iter().map(|(known, _, _)| known.as_str())) {
        Some(near) => warnings.add_with_hint(
            variable,
            "is no key of the configuration and was ignored",
            format_args!("did you mean `{PREFIX}{near}`?"),
        ),
        None => warnings.add(variable, "is no key of the configuration and was ignored"),
    }
}

fn read(text: &str, kind: Kind) -> Result<Value, String> {
    let as_toml = || {
        format!("value = {text}")
            .parse::<Table>()
            .ok()
            .and_then(|mut table| table.remove("value"))
            .ok_or_else(|| format!("`{text}` is not a TOML value"))
    };
    match kind {
        Kind::Bool => match text {
            "true" | "1" => Ok(Value::Boolean(true)),
            "false" | "0" => Ok(Value::Boolean(false)),
            _ => Err(format!("`{text}` is neither `true` nor `false`")),
        },
        Kind::Number => number(text).ok_or_else(|| format!("`{text}` is not a number")),
        Kind::TextOrNumber => Ok(number(text).unwrap_or_else(|| Value::String(text.to_owned()))),
        Kind::List if text.trim_start().starts_with('[') => as_toml(),
        Kind::List => Ok(Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Value::String(part.to_owned()))
                .collect(),
        )),
        Kind::Toml if text.trim_start().starts_with(['[', '{']) => as_toml(),
        Kind::Text | Kind::Toml => Ok(Value::String(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Value> {
    let integer = text.parse().ok().map(Value::Integer);
    integer.or_else(|| text.parse().ok().map(Value::Float))
}

fn insert(table: &mut Table, key: &str, value: Value) -> bool {
    let mut inside = table;
    let mut steps = key.split('.').peekable();
    while let Some(step) = steps.next() {
        if steps.peek().is_none() {
            inside.insert(step.to_owned(), value);
            return true;
        }
        match inside
            .entry(step)
            .or_insert_with(|| Value::Table(Table::new()))
        {
            Value::Table(table) => inside = table,
            _ => return false,
        }
    }
    false
}
