//! The compiled `[answer]` section.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use minijinja::Value;

use super::cors::Cors;
use super::redirect::Redirect;
use super::retry_after::RetryPolicy;
use super::template::{PageTemplate, Words, page_context};
use super::texts::{LANGUAGES, Texts};
use super::{AnswerConfig, CustomAnswer, FormatChoice, Notice};
use crate::policy::Complaints;
use crate::request::Facts;
use crate::state::{Message, Mode};
use crate::time::Timestamp;

/// Values for the template, made for one request.
pub type ContextFn = Arc<dyn Fn(&Facts<'_>, &Notice) -> Value + Send + Sync>;

/// The application's own choice of an answer for one request; `None` leaves it to the policy.
pub type CustomFn = Arc<dyn Fn(&Facts<'_>, &Notice) -> Option<CustomAnswer> + Send + Sync>;

/// The largest template or page, in bytes. A page for which every visitor waits has no business being larger.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The longest title, in bytes.
const MAX_TITLE_BYTES: usize = 200;

/// Where the page comes from.
#[derive(Debug)]
pub(super) enum Page {
    BuiltIn,
    Template(Box<PageTemplate>),
    Static(Bytes),
}

/// The compiled `[answer]` section: checked, with its files read.
pub struct AnswerPolicy {
    pub(super) format: FormatChoice,
    pub(super) words: Words,
    pub(super) retry_after: RetryPolicy,
    pub(super) page: Page,
    pub(super) redirect: Option<Redirect>,
    pub(super) languages: Vec<&'static Texts>,
    pub(super) cors: Cors,
    pub(super) event_stream: bool,
    pub(super) surrogate_control: bool,
    pub(super) context: Option<ContextFn>,
    pub(super) custom: Option<CustomFn>,
}

impl AnswerPolicy {
    /// Checks a section and reads its files, relative to `base`.
    ///
    /// Everything that is wrong is added to `complaints`, under `place` (`answer`, `sites.shop.answer`).
    /// The result is then still a usable policy, with the default in place of each wrong value.
    pub fn compile(
        config: &AnswerConfig,
        place: &str,
        base: &Path,
        complaints: &mut Complaints,
    ) -> Self {
        let words = Words {
            status: status(config.status, place, complaints),
            title: title(config.title.as_deref(), place, complaints),
            message: message(config.message.as_deref(), place, complaints),
        };
        let languages = languages(config.languages.as_deref(), place, complaints);
        let redirect = Redirect::compile(config, place, complaints);
        let format = config.format.unwrap_or(match config.redirect {
            Some(_) => FormatChoice::Redirect,
            None => FormatChoice::Auto,
        });
        if format == FormatChoice::Redirect && config.redirect.is_none() {
            complaints.add_with_hint(
                format_args!("{place}.format"),
                "the format `redirect` needs a target",
                format_args!("add {place}.redirect, such as \"/closed\""),
            );
        }
        Self {
            format,
            retry_after: RetryPolicy::compile(config.retry_after.as_ref(), place, complaints),
            page: page(config, &words, &languages, place, base, complaints),
            words,
            redirect,
            languages,
            cors: Cors::compile(config.cors.as_ref(), place, complaints),
            event_stream: config.event_stream.unwrap_or(true),
            surrogate_control: config.surrogate_control.unwrap_or(false),
            context: None,
            custom: None,
        }
    }

    /// The same policy with a function that gives the application's template more values.
    ///
    /// The template is then rendered for each request. The documented names keep their values where the
    /// function gives the same ones. The built-in page and a static one do not look at them.
    #[must_use]
    pub fn with_context(mut self, context: ContextFn) -> Self {
        self.context = Some(context);
        self
    }

    /// The same policy with a function that chooses or makes the answer for some requests.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use maintenance_mode::answer::{AnswerConfig, AnswerPolicy, CustomAnswer, Format};
    /// use maintenance_mode::policy::Complaints;
    ///
    /// let mut complaints = Complaints::new();
    /// let policy = AnswerPolicy::compile(&AnswerConfig::default(), "answer", ".".as_ref(), &mut complaints)
    ///     .with_custom(Arc::new(|facts, _notice| {
    ///         facts.path.starts_with("/rpc/").then_some(CustomAnswer::Format(Format::Json))
    ///     }));
    /// # let _ = policy;
    /// ```
    #[must_use]
    pub fn with_custom(mut self, custom: CustomFn) -> Self {
        self.custom = Some(custom);
        self
    }

    /// The path of the redirect's target on the same site, in canonical form; it must be open, or
    /// visitors would be sent in a circle.
    #[must_use]
    pub fn redirect_path(&self) -> Option<&str> {
        self.redirect.as_ref()?.path.as_deref()
    }

    /// The value of `Location`, if the policy has a redirect.
    #[must_use]
    pub fn redirect_location(&self) -> Option<&str> {
        Some(&self.redirect.as_ref()?.location)
    }

    /// The configured format.
    #[must_use]
    pub const fn format(&self) -> FormatChoice {
        self.format
    }

    /// The configured status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.words.status
    }
}

impl fmt::Debug for AnswerPolicy {
    /// Shows of functions only whether they are there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let languages: Vec<_> = self.languages.iter().map(|texts| texts.code).collect();
        f.debug_struct("AnswerPolicy")
            .field("format", &self.format)
            .field("words", &self.words)
            .field("retry_after", &self.retry_after)
            .field("redirect", &self.redirect)
            .field("languages", &languages)
            .field("cors", &self.cors)
            .field("event_stream", &self.event_stream)
            .field("context", &self.context.is_some())
            .field("custom", &self.custom.is_some())
            .finish_non_exhaustive()
    }
}

fn status(status: Option<u16>, place: &str, complaints: &mut Complaints) -> u16 {
    const DEFAULT: u16 = 503;
    let Some(status) = status else { return DEFAULT };
    let problem = match status {
        401 | 407 => "makes browsers ask for a password",
        405 | 426 => "needs a field that says what else to do",
        408 | 421 | 425 => "makes clients send the request again at once",
        416 => "answers a range request",
        200 | 400..=599 => return status,
        300..=399 => "is a redirect",
        _ => "does not tell clients that the request was refused",
    };
    complaints.add_with_hint(
        format_args!("{place}.status"),
        format_args!("the status {status} {problem}"),
        "write 503, which crawlers and clients understand as temporary; others from 400 to 599 and 200 \
         are possible, and `redirect` for a redirect",
    );
    DEFAULT
}

fn title(title: Option<&str>, place: &str, complaints: &mut Complaints) -> Option<String> {
    let title = title?;
    let problem = if title.trim().is_empty() {
        "is empty"
    } else if title.len() > MAX_TITLE_BYTES {
        "is longer than 200 bytes"
    } else if title.chars().any(char::is_control) {
        "contains control characters"
    } else {
        return Some(title.to_owned());
    };
    complaints.add_with_hint(
        format_args!("{place}.title"),
        format_args!("the title {problem}"),
        "write one short line of plain text, or leave it out",
    );
    None
}

fn message(message: Option<&str>, place: &str, complaints: &mut Complaints) -> Option<Message> {
    match Message::new(message?) {
        Ok(message) => Some(message),
        Err(error) => {
            complaints.add(format_args!("{place}.message"), error);
            None
        }
    }
}

fn languages(
    codes: Option<&[String]>,
    place: &str,
    complaints: &mut Complaints,
) -> Vec<&'static Texts> {
    let Some(codes) = codes else {
        return LANGUAGES.to_vec();
    };
    let known = || LANGUAGES.map(|texts| texts.code).join(", ");
    let mut chosen: Vec<&'static Texts> = Vec::with_capacity(LANGUAGES.len());
    for (index, code) in codes.iter().enumerate() {
        let place = format!("{place}.languages[{index}]");
        let shown = code.escape_debug();
        match Texts::of(code) {
            None => complaints.add_with_hint(
                place,
                format_args!("the language `{shown}` is not built in"),
                format_args!("built in are {}; other languages need a template", known()),
            ),
            Some(texts) if chosen.iter().any(|other| other.code == texts.code) => {
                complaints.add(
                    place,
                    format_args!("the language `{shown}` is listed twice"),
                );
            }
            Some(texts) => chosen.push(texts),
        }
    }
    if codes.is_empty() {
        complaints.add_with_hint(
            format_args!("{place}.languages"),
            "the list is empty",
            format_args!("name at least one of {}, or leave it out", known()),
        );
    }
    if chosen.is_empty() {
        LANGUAGES.to_vec()
    } else {
        chosen
    }
}

fn page(
    config: &AnswerConfig,
    words: &Words,
    languages: &[&'static Texts],
    place: &str,
    base: &Path,
    complaints: &mut Complaints,
) -> Page {
    match (&config.template, &config.page) {
        (None, None) => Page::BuiltIn,
        (Some(_), Some(_)) => {
            complaints.add_with_hint(
                format_args!("{place}.page"),
                "`page` and `template` contradict each other",
                "keep `template` for a page with values in it, `page` for one that is sent as it stands",
            );
            Page::BuiltIn
        }
        (None, Some(path)) => read(&base.join(path), &format!("{place}.page"), complaints)
            .map_or(Page::BuiltIn, |text| Page::Static(Bytes::from(text))),
        (Some(path), None) => {
            let place = format!("{place}.template");
            let path = base.join(path);
            read(&path, &place, complaints)
                .and_then(|source| template(source, &path, words, languages, &place, complaints))
                .map_or(Page::BuiltIn, |template| Page::Template(Box::new(template)))
        }
    }
}

fn read(path: &Path, place: &str, complaints: &mut Complaints) -> Option<String> {
    let shown = path.display();
    let size = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => {
            complaints.add_with_hint(
                place,
                format_args!("`{shown}` is not a file"),
                "name an HTML file",
            );
            return None;
        }
        Err(error) => {
            complaints.add_with_hint(
                place,
                format_args!("cannot read `{shown}`: {error}"),
                "the path is relative to the configuration file",
            );
            return None;
        }
    };
    if size > MAX_FILE_BYTES {
        complaints.add(
            place,
            format_args!("`{shown}` has {size} bytes; at most {MAX_FILE_BYTES} are sent"),
        );
        return None;
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) => {
            complaints.add_with_hint(
                place,
                format_args!("cannot read `{shown}`: {error}"),
                "the file must be readable and in UTF-8",
            );
            None
        }
    }
}

/// Compiles a template and renders it with everything that it may meet, so that it does not fail first
/// when the site is closed.
fn template(
    source: String,
    path: &Path,
    words: &Words,
    languages: &[&'static Texts],
    place: &str,
    complaints: &mut Complaints,
) -> Option<PageTemplate> {
    const HINT: &str =
        "docs/templates.md lists the variables; a template is one file and cannot include others";
    let rendered = PageTemplate::compile(source).and_then(|template| {
        for (notice, sent) in samples() {
            let texts = languages.first().copied().unwrap_or(LANGUAGES[0]);
            template.render(page_context(words, &notice, texts, sent))?;
        }
        Ok(template)
    });
    match rendered {
        Ok(template) => Some(template),
        Err(error) => {
            let what = error.detail().map_or_else(
                || error.kind().to_string(),
                |d| format!("{}: {d}", error.kind()),
            );
            let line = error
                .line()
                .map(|line| format!(", line {line}"))
                .unwrap_or_default();
            complaints.add_with_hint(
                place,
                format_args!("`{}`{line}: {what}", path.display()),
                HINT,
            );
            None
        }
    }
}

/// Every mode, with and without the values that may be missing.
fn samples() -> impl Iterator<Item = (Notice, bool)> {
    let message = Message::new("A message <b>for</b> visitors").ok();
    let end = Timestamp::from_millis(1_795_212_000_000);
    Mode::ALL.into_iter().flat_map(move |mode| {
        let full = Notice {
            message: message.clone(),
            ends_at: Some(end),
            ..Notice::new(mode)
        };
        [
            (Notice::new(mode), false),
            (Notice::new(mode), true),
            (full.clone(), false),
            (full, true),
        ]
    })
}
