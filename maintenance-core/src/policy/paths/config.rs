//! The form of a path rule in the configuration: a string, or a table.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One path rule as configured.
///
/// A string is an exact path, or a glob when it has a `*`. A table has one of `exact`, `prefix`, `glob`,
/// `regex`, `all = true` or `asterisk = true`, and may have `methods`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathRuleConfig {
    /// The short form.
    Text(String),
    /// The long form.
    Table(PathRuleTable),
}

/// The long form of a path rule. Exactly one kind may be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PathRuleTable {
    /// This path alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// This path and everything below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// `*` is one non-empty segment; a final `/**` is the base and all below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glob: Option<String>,
    /// A regular expression for the whole path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Every canonical path.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// The target `*` of `OPTIONS *`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub asterisk: bool,
    /// Only for these methods; every method when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
}

impl PathRuleConfig {
    /// This path alone.
    pub fn exact(path: impl Into<String>) -> Self {
        Self::Table(PathRuleTable {
            exact: Some(path.into()),
            ..PathRuleTable::default()
        })
    }

    /// This path and everything below it.
    pub fn prefix(path: impl Into<String>) -> Self {
        Self::Table(PathRuleTable {
            prefix: Some(path.into()),
            ..PathRuleTable::default()
        })
    }

    /// `*` is one non-empty segment; a final `/**` is the base and all below it.
    pub fn glob(pattern: impl Into<String>) -> Self {
        Self::Table(PathRuleTable {
            glob: Some(pattern.into()),
            ..PathRuleTable::default()
        })
    }

    /// A regular expression for the whole path.
    pub fn regex(pattern: impl Into<String>) -> Self {
        Self::Table(PathRuleTable {
            regex: Some(pattern.into()),
            ..PathRuleTable::default()
        })
    }

    /// The same rule, only for these methods.
    #[must_use]
    pub fn methods<M: Into<String>>(self, methods: impl IntoIterator<Item = M>) -> Self {
        let mut table = self.table().into_owned();
        table.methods = Some(methods.into_iter().map(Into::into).collect());
        Self::Table(table)
    }

    /// The long form of this rule.
    pub(crate) fn table(&self) -> Cow<'_, PathRuleTable> {
        match self {
            Self::Table(table) => Cow::Borrowed(table),
            Self::Text(text) if text.contains('*') => Cow::Owned(PathRuleTable {
                glob: Some(text.clone()),
                ..PathRuleTable::default()
            }),
            Self::Text(text) => Cow::Owned(PathRuleTable {
                exact: Some(text.clone()),
                ..PathRuleTable::default()
            }),
        }
    }
}

impl From<&str> for PathRuleConfig {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for PathRuleConfig {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl fmt::Display for PathRuleConfig {
    /// As in the configuration file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = match self {
            Self::Text(text) => return f.write_str(text),
            Self::Table(table) => table,
        };
        f.write_str("{")?;
        let mut separator = " ";
        let texts = [
            ("exact", &table.exact),
            ("prefix", &table.prefix),
            ("glob", &table.glob),
            ("regex", &table.regex),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                write!(f, "{separator}{key} = {value:?}")?;
                separator = ", ";
            }
        }
        for (key, value) in [("all", table.all), ("asterisk", table.asterisk)] {
            if value {
                write!(f, "{separator}{key} = true")?;
                separator = ", ";
            }
        }
        if let Some(methods) = &table.methods {
            write!(f, "{separator}methods = {methods:?}")?;
        }
        f.write_str(" }")
    }
}

impl Serialize for PathRuleConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Table(table) => table.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PathRuleConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;

        impl<'de> Visitor<'de> for TextOrTable {
            type Value = PathRuleConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a path such as \"/robots.txt\", or a table such as { prefix = \"/admin\" }",
                )
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(PathRuleConfig::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                PathRuleTable::deserialize(MapAccessDeserializer::new(map))
                    .map(PathRuleConfig::Table)
            }
        }

        deserializer.deserialize_any(TextOrTable)
    }
}
