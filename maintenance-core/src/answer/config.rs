//! The `[answer]` section as it is written.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::FormatChoice;
use crate::policy::PathRuleConfig;
use crate::policy::config::AnswerRuleConfig;

/// The `[answer]` section. Every key may be left out, so that a site's section can overlay the common one.
///
/// Checked by [`super::AnswerPolicy::compile`], which names everything that is wrong at once.
///
/// ```
/// use maintenance_mode::answer::{AnswerConfig, FormatChoice};
///
/// let config = AnswerConfig {
///     format: Some(FormatChoice::Json),
///     retry_after: Some(600.into()),
///     ..AnswerConfig::default()
/// };
/// # let _ = config;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerConfig {
    /// `auto` (default), `html`, `json`, `text` or `redirect`. With [`redirect`](Self::redirect) given and
    /// no format, `redirect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<FormatChoice>,
    /// The status: 200, or 400 to 599 without those that make clients do something else. Default 503.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `auto` (default: the time until the expected end, plus up to 10 %), seconds, `off`, or a date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<RetryAfterSetting>,
    /// A minijinja template for the page; see `docs/templates.md`. Relative to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<PathBuf>,
    /// An HTML file that is the page as it stands. Relative to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<PathBuf>,
    /// Where visitors are sent: a path on the same site (always open), or an absolute URL elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<String>,
    /// 302, 303 or 307. Default: 302 for GET and HEAD, 303 for every other method, so that no client
    /// sends a form or an upload on to the target; 307 asks for just that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_status: Option<u16>,
    /// Whether JSON clients (by `Accept`, by a JSON request body, scripts of a page) are redirected too.
    /// Default false: a script can do nothing with a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_json: Option<bool>,
    /// The languages to choose from; the first is for clients who understand none of them. Default: every
    /// built-in one, English first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub languages: Option<Vec<String>>,
    /// The title and headline, in place of the built-in ones of every language and mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The message while the operator gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whose pages may read the answer across origins: `any` (default), `off`, or a list of origins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsSetting>,
    /// Whether an `EventSource` gets a stream with one event, so that it comes back. Default true; with
    /// false it gets the plain 503, after which browsers never reconnect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_stream: Option<bool>,
    /// Whether `Surrogate-Control: no-store` is sent, for caches that know no other field. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surrogate_control: Option<bool>,
    /// Formats by path; the first rule that matches counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<AnswerRuleConfig>>,
    /// Path rules of what the page needs: pictures, style sheets. They stay open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assets: Option<Vec<PathRuleConfig>>,
}

impl AnswerConfig {
    /// This section with every key replaced that `site` gives.
    ///
    /// `template` and `page` are one choice: a site that gives one does not inherit the other.
    #[must_use]
    pub fn overlaid_by(&self, site: &Self) -> Self {
        fn over<T: Clone>(site: Option<&T>, common: Option<&T>) -> Option<T> {
            site.or(common).cloned()
        }
        let own_page = site.template.is_some() || site.page.is_some();
        let inherited = (!own_page).then_some(self);
        Self {
            format: site.format.or(self.format),
            status: site.status.or(self.status),
            retry_after: over(site.retry_after.as_ref(), self.retry_after.as_ref()),
            template: over(
                site.template.as_ref(),
                inherited.and_then(|c| c.template.as_ref()),
            ),
            page: over(site.page.as_ref(), inherited.and_then(|c| c.page.as_ref())),
            redirect: over(site.redirect.as_ref(), self.redirect.as_ref()),
            redirect_status: site.redirect_status.or(self.redirect_status),
            redirect_json: site.redirect_json.or(self.redirect_json),
            languages: over(site.languages.as_ref(), self.languages.as_ref()),
            title: over(site.title.as_ref(), self.title.as_ref()),
            message: over(site.message.as_ref(), self.message.as_ref()),
            cors: over(site.cors.as_ref(), self.cors.as_ref()),
            event_stream: site.event_stream.or(self.event_stream),
            surrogate_control: site.surrogate_control.or(self.surrogate_control),
            rules: over(site.rules.as_ref(), self.rules.as_ref()),
            assets: over(site.assets.as_ref(), self.assets.as_ref()),
        }
    }
}

/// `retry_after` as it is written: a number of seconds, or a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryAfterSetting {
    /// Seconds.
    Seconds(i64),
    /// `auto`, `off`, seconds, an HTTP date or an RFC 3339 date.
    Text(String),
}

impl From<u32> for RetryAfterSetting {
    fn from(seconds: u32) -> Self {
        Self::Seconds(seconds.into())
    }
}

impl From<&str> for RetryAfterSetting {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Serialize for RetryAfterSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Seconds(seconds) => serializer.serialize_i64(*seconds),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for RetryAfterSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl de::Visitor<'_> for Reader {
            type Value = RetryAfterSetting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds, \"auto\", \"off\" or a date as text")
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Self::Value, E> {
                Ok(RetryAfterSetting::Seconds(seconds))
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Self::Value, E> {
                Ok(RetryAfterSetting::Seconds(
                    i64::try_from(seconds).unwrap_or(i64::MAX),
                ))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(text.into())
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// `cors` as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsSetting {
    /// `any` or `off`.
    Word(String),
    /// Origins, such as `https://app.example.com`.
    Origins(Vec<String>),
}

impl Serialize for CorsSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Word(word) => serializer.serialize_str(word),
            Self::Origins(origins) => origins.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for CorsSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> de::Visitor<'de> for Reader {
            type Value = CorsSetting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"any\", \"off\" or a list of origins")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
                Ok(CorsSetting::Word(word.to_owned()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(seq))
                    .map(CorsSetting::Origins)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_and_written_again() -> Result<(), Box<dyn std::error::Error>> {
        let text = r#"
format = "json"
retry_after = 120
cors = ["https://app.example.com"]
languages = ["de", "en"]
"#;
        let config: AnswerConfig = toml::from_str(text)?;
        assert_eq!(config.retry_after, Some(120.into()));
        assert_eq!(
            toml::from_str::<AnswerConfig>(&toml::to_string(&config)?)?,
            config
        );
        let words: AnswerConfig = toml::from_str("retry_after = \"off\"\ncors = \"any\"")?;
        assert_eq!(words.retry_after, Some("off".into()));
        assert_eq!(words.cors, Some(CorsSetting::Word("any".to_owned())));
        Ok(())
    }

    #[test]
    fn errors_say_what_is_expected() {
        for (text, part) in [
            ("retry_after = true", "seconds, \"auto\", \"off\""),
            ("cors = 1", "a list of origins"),
            ("format = \"xml\"", "unknown variant `xml`"),
            ("staus = 503", "unknown field `staus`"),
        ] {
            let error = toml::from_str::<AnswerConfig>(text).map_err(|e| e.to_string());
            assert!(error.as_ref().is_err_and(|e| e.contains(part)), "{error:?}");
        }
    }

    #[test]
    fn a_site_replaces_what_it_gives() {
        let common = AnswerConfig {
            status: Some(500),
            template: Some("common.html".into()),
            title: Some("Common".to_owned()),
            ..AnswerConfig::default()
        };
        let site = AnswerConfig {
            title: Some("Shop".to_owned()),
            page: Some("shop.html".into()),
            ..AnswerConfig::default()
        };
        let both = common.overlaid_by(&site);
        assert_eq!(both.status, Some(500));
        assert_eq!(both.title.as_deref(), Some("Shop"));
        assert_eq!(both.page, Some("shop.html".into()));
        assert_eq!(
            both.template, None,
            "a page of its own replaces the common template"
        );
        assert_eq!(common.overlaid_by(&AnswerConfig::default()), common);
    }
}
