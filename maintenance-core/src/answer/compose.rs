//! Makes the prepared parts: body and fields together.

use std::borrow::Cow;

use bytes::Bytes;

use super::grpc::{self, Protocol};
use super::prepared::{Field, Prepared};
use super::texts::Texts;
use super::{AnswerPolicy, Format, FormatChoice, FullAnswer, MARKER, MARKER_VALUE, Notice};
use super::{event_stream, plain, problem};

/// A page as it comes out of a template.
pub(super) struct RenderedPage {
    pub(super) body: Bytes,
    /// The built-in page's `Content-Security-Policy`; nobody knows what the application's page needs.
    pub(super) security_policy: Option<&'static str>,
    /// The language it is in, if that is known.
    pub(super) language: Option<&'static str>,
}

/// One policy and one notice, from which the parts are made.
#[derive(Clone, Copy)]
pub(super) struct Composer<'a> {
    pub(super) policy: &'a AnswerPolicy,
    pub(super) notice: &'a Notice,
}

impl Composer<'_> {
    pub(super) fn html(self, page: RenderedPage) -> Prepared {
        let mut fields = self.common(page.language.is_some());
        content(&mut fields, "text/html; charset=utf-8", page.language);
        if let Some(policy) = page.security_policy {
            fields.push(Field::fixed("content-security-policy", policy));
        }
        Prepared::new(self.policy.words.status, Format::Html, page.body, fields)
    }

    pub(super) fn json(self, texts: &'static Texts) -> Prepared {
        let body = problem::render(self.policy, self.notice, texts);
        self.in_words(Format::Json, "application/problem+json", body, texts)
    }

    pub(super) fn text(self, texts: &'static Texts) -> Prepared {
        let body = plain::render(self.policy, self.notice, texts);
        self.in_words(Format::Text, "text/plain; charset=utf-8", body, texts)
    }

    fn in_words(
        self,
        format: Format,
        media_type: &'static str,
        body: String,
        texts: &'static Texts,
    ) -> Prepared {
        let mut fields = self.common(true);
        content(&mut fields, media_type, Some(texts.tag));
        Prepared::new(self.policy.words.status, format, body.into(), fields)
    }

    pub(super) fn events(self, texts: &'static Texts, step: usize) -> Prepared {
        let problem = problem::render(self.policy, self.notice, texts);
        let mut fields = self.common(true);
        content(&mut fields, "text/event-stream", Some(texts.tag));
        let body = event_stream::render(&problem, step);
        Prepared::new(200, Format::EventStream, body.into(), fields)
    }

    /// `sent`: the request carried something, see [`super::redirect::Redirect::status`].
    pub(super) fn redirect(self, sent: bool) -> Option<Prepared> {
        let redirect = self.policy.redirect.as_ref()?;
        let mut fields = self.common(false);
        fields.push(Field::fixed("location", redirect.location.clone()));
        Some(Prepared::new(
            redirect.status(sent),
            Format::Redirect,
            Bytes::new(),
            fields,
        ))
    }

    pub(super) fn grpc(self, protocol: Protocol, texts: &Texts) -> Prepared {
        let message = grpc::percent_encoded(grpc::shortened(
            self.policy.words.detail(self.notice, texts),
        ));
        let mut fields = self.common(false);
        fields.push(Field::fixed("content-type", protocol.content_type()));
        fields.push(Field::fixed("grpc-status", grpc::UNAVAILABLE));
        fields.push(Field::fixed("grpc-message", message));
        Prepared::new(200, Format::Grpc, Bytes::new(), fields)
    }

    pub(super) fn full(self, answer: FullAnswer) -> Prepared {
        let mut fields = self.common(false);
        fields.extend(answer.fields);
        Prepared::new(answer.status, Format::Custom, answer.body, fields)
    }

    /// The fields of every answer. `by_language`: whether the body depends on the language.
    fn common(self, by_language: bool) -> Vec<Field> {
        let mut fields = Vec::with_capacity(10);
        fields.push(Field::fixed("cache-control", "no-store"));
        fields.push(Field::fixed("cdn-cache-control", "no-store"));
        if self.policy.surrogate_control {
            fields.push(Field::fixed("surrogate-control", "no-store"));
        }
        fields.push(Field::fixed(MARKER, MARKER_VALUE));
        if let Some(vary) = self.vary(by_language) {
            fields.push(Field::fixed("vary", vary));
        }
        fields
    }

    fn vary(self, by_language: bool) -> Option<Cow<'static, str>> {
        let policy = self.policy;
        let by_accept = matches!(policy.format, FormatChoice::Auto | FormatChoice::Redirect)
            || policy.event_stream;
        let by_language = by_language && policy.languages.len() > 1;
        let mut names = Vec::with_capacity(3);
        names.extend(by_accept.then_some("Accept"));
        names.extend(by_language.then_some("Accept-Language"));
        names.extend(policy.cors.varies().then_some("Origin"));
        (!names.is_empty()).then(|| names.join(", ").into())
    }
}

fn content(fields: &mut Vec<Field>, media_type: &'static str, language: Option<&'static str>) {
    fields.push(Field::fixed("content-type", media_type));
    fields.extend(language.map(|tag| Field::fixed("content-language", tag)));
    fields.push(Field::fixed("x-content-type-options", "nosniff"));
}
