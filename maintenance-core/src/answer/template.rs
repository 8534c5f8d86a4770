//! The page: the built-in template, the application's own, and what both are given.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, context};
use sha2::{Digest, Sha256};

use super::Notice;
use super::base64;
use super::texts::Texts;
use crate::state::{Message, Mode};
use crate::time::Timestamp;

const NAME: &str = "page";

/// How many instructions an application's template may take: enough for a large page, and a loop
/// without end stops after some milliseconds.
const FUEL: u64 = 250_000;

const STYLE: &str = include_str!("page/page.css").trim_ascii();
const SCRIPT: &str = include_str!("page/page.js").trim_ascii();

static BUILT_IN: LazyLock<Result<PageTemplate, Error>> =
    LazyLock::new(|| PageTemplate::compile(include_str!("page/page.html").to_owned()));

/// Only the page's own style and script run; it may ask its own site whether it is open again.
static BUILT_IN_POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| base64::padded(&Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
});

/// What the author of the policy says in place of the built-in texts.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) status: u16,
    pub(super) title: Option<String>,
    pub(super) message: Option<Message>,
}

impl Words {
    pub(super) fn title<'a>(&'a self, notice: &Notice, texts: &'a Texts) -> &'a str {
        self.title
            .as_deref()
            .unwrap_or(texts.mode(notice.mode).title)
    }

    pub(super) fn heading<'a>(&'a self, notice: &Notice, texts: &'a Texts) -> &'a str {
        self.title
            .as_deref()
            .unwrap_or(texts.mode(notice.mode).heading)
    }

    /// The operator's message, else the configured one.
    pub(super) fn message<'a>(&'a self, notice: &'a Notice) -> Option<&'a str> {
        notice
            .message
            .as_ref()
            .or(self.message.as_ref())
            .map(Message::as_str)
    }

    /// The message, else the sentence of the mode.
    pub(super) fn detail<'a>(&'a self, notice: &'a Notice, texts: &'a Texts) -> &'a str {
        self.message(notice).unwrap_or(texts.mode(notice.mode).text)
    }
}

/// The variables whose values depend on the language.
const LOCALISED: [&str; 6] = ["language", "dir", "title", "heading", "text", "labels"];

/// A compiled template.
#[derive(Debug)]
pub(super) struct PageTemplate {
    environment: Environment<'static>,
    localised: bool,
}

impl PageTemplate {
    pub(super) fn compile(source: String) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_fuel(Some(FUEL));
        // Values of the application's context function are unknown when the policy is compiled.
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.add_template_owned(NAME, source)?;
        let used = environment.get_template(NAME)?.undeclared_variables(false);
        let localised = LOCALISED.iter().any(|name| used.contains(*name));
        Ok(Self {
            environment,
            localised,
        })
    }

    /// Whether it shows anything that depends on the language; else its language is its author's secret.
    pub(super) const fn is_localised(&self) -> bool {
        self.localised
    }

    pub(super) fn render(&self, context: Value) -> Result<String, Error> {
        self.environment.get_template(NAME)?.render(context)
    }
}

/// The built-in page, with the value of its `Content-Security-Policy`.
pub(super) fn built_in(context: Value) -> (String, &'static str) {
    let rendered = BUILT_IN
        .as_ref()
        .map_err(ToString::to_string)
        .and_then(|template| {
            template
                .render(context! { style => STYLE, script => SCRIPT, ..context })
                .map_err(|e| e.to_string())
        });
    let page = rendered.unwrap_or_else(|error| {
        tracing::error!(%error, "the built-in page cannot be rendered");
        "<!doctype html><title>Maintenance</title><h1>Maintenance</h1>".to_owned()
    });
    (page, &BUILT_IN_POLICY)
}

/// The documented context (`docs/templates.md`).
pub(super) fn page_context(words: &Words, notice: &Notice, texts: &Texts, sent: bool) -> Value {
    context! {
        site => notice.site.as_str(),
        mode => notice.mode.as_str(),
        status => words.status,
        title => words.title(notice, texts),
        heading => words.heading(notice, texts),
        text => texts.mode(notice.mode).text,
        message => words.message(notice),
        ends_at => notice.ends_at.and_then(rfc_3339),
        ends_at_utc => notice.ends_at.and_then(utc),
        language => texts.tag,
        // Every built-in language is written from left to right.
        dir => "ltr",
        sent,
        reload_after => if notice.mode == Mode::Paused { 10 } else { 60 },
        labels => context! {
            expected_end => texts.expected_end,
            overdue => texts.overdue,
            reloads => texts.reloads,
            try_again => texts.try_again,
            not_received => texts.not_received,
            go_back => texts.go_back,
            returned => texts.returned,
        },
    }
}

/// `2026-11-20T22:00:00Z`, unless the time lies outside of what that form can say.
pub(super) fn rfc_3339(time: Timestamp) -> Option<String> {
    Some(time.to_string()).filter(|text| text.ends_with('Z'))
}

/// `2026-11-20 22:00 UTC`.
pub(super) fn utc(time: Timestamp) -> Option<String> {
    let text = rfc_3339(time)?;
    let (date, clock) = text.split_once('T')?;
    Some(format!("{date} {} UTC", clock.get(..5)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let time = Timestamp::from_millis(1_795_212_000_500);
        assert_eq!(rfc_3339(time).as_deref(), Some("2026-11-20T22:00:00.5Z"));
        assert_eq!(utc(time).as_deref(), Some("2026-11-20 22:00 UTC"));
        assert_eq!(rfc_3339(Timestamp::MAX), None);
        assert_eq!(utc(Timestamp::MIN), None);
    }

    #[test]
    fn a_loop_without_end_stops() {
        let source =
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        let template = PageTemplate::compile(source.to_owned()).map_err(|e| e.to_string());
        assert!(template.is_ok_and(|t| t.render(context! {}).is_err()));
    }
}
