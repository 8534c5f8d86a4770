//! From an answer of the engine to a response.

use ::http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, SET_COOKIE};
use ::http::{Response, StatusCode};
use bytes::Bytes;

use crate::answer::{Answer, Field, expired_cookie};
use crate::decision::Block;
use crate::request::Facts;
use crate::verdict::Verdict;

/// The response to a blocked request: the prepared fields, converted once for each answer, and bytes that
/// are shared. Its extensions have the [`Verdict`], and it expires the cookies of a visitor who is logged out.
#[must_use]
pub fn response(block: &Block<'_>, facts: &Facts<'_>) -> Response<Bytes> {
    let answer = block.answer(facts);
    let mut response = Response::new(answer.body_for(facts.method));
    // The engine's statuses are checked when the policy is compiled.
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    *response.headers_mut() = fields(&answer);
    append_expired(response.headers_mut(), block.expired_cookies());
    response.extensions_mut().insert(Verdict::from(block));
    response
}

/// The prepared fields are converted once for each answer; the rest belongs to this request.
fn fields(answer: &Answer<'_>) -> HeaderMap {
    let prepared = answer.prepared();
    let length = answer.content_length();
    let mut fields = match prepared.cache(|fields| convert(fields, length)) {
        Some(fields) => fields.clone(),
        None => convert(prepared.fields(), length),
    };
    let retry_after = answer.retry_after();
    match retry_after.and_then(|value| HeaderValue::from_str(value.as_str()).ok()) {
        Some(value) => fields.insert(RETRY_AFTER, value),
        None if has_own_retry_after(prepared.fields()) => None,
        None => fields.remove(RETRY_AFTER),
    };
    for (name, value) in answer.extra_fields() {
        if name != RETRY_AFTER.as_str()
            && let Ok(value) = HeaderValue::from_str(value)
        {
            fields.insert(HeaderName::from_static(name), value);
        }
    }
    fields
}

/// Names and values were checked when the answer was prepared, so nothing is left out here.
///
/// The length is the same for HEAD, whose body is empty. `Retry-After` has a place that each request fills:
/// a map that was cloned has no room to grow.
fn convert(fields: &[Field], length: Option<usize>) -> HeaderMap {
    let own = fields.iter().filter_map(|field| {
        // What is part of the program is shared without a count of its owners.
        let (name, value) = field.statics();
        let name = match name {
            Some(name) => HeaderName::from_static(name),
            None => HeaderName::from_bytes(field.name().as_bytes()).ok()?,
        };
        let value = match value {
            Some(value) => HeaderValue::from_maybe_shared(Bytes::from_static(value.as_bytes())),
            None => HeaderValue::from_str(field.value()),
        };
        Some((name, value.ok()?))
    });
    let length = length.map(|length| (CONTENT_LENGTH, HeaderValue::from(length)));
    let place = (RETRY_AFTER, HeaderValue::from_static("0"));
    let place = (!has_own_retry_after(fields)).then_some(place);
    own.chain(length).chain(place).collect()
}

/// Whether the application's own answer says when to come back.
fn has_own_retry_after(fields: &[Field]) -> bool {
    fields.iter().any(|field| field.name() == RETRY_AFTER)
}

/// Expires cookies of a visitor who was logged out and let in as an anonymous one.
///
/// A cookie that the application has set anew in this response is left alone: it belongs to the
/// anonymous visitor.
pub fn expire_cookies(headers: &mut HeaderMap, names: &[String]) {
    let is_set_anew = |name: &str| {
        let mut set = headers.get_all(SET_COOKIE).iter();
        set.any(|cookie| {
            let rest = cookie.as_bytes().strip_prefix(name.as_bytes());
            rest.is_some_and(|rest| rest.first() == Some(&b'='))
        })
    };
    let stale: Vec<String> = names.iter().filter(|n| !is_set_anew(n)).cloned().collect();
    append_expired(headers, &stale);
}

fn append_expired(headers: &mut HeaderMap, names: &[String]) {
    for name in names {
        if let Ok(value) = HeaderValue::from_str(&expired_cookie(name)) {
            headers.append(SET_COOKIE, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::answer::{CustomAnswer, FullAnswer, RetryAfterSetting};
    use crate::{AnswerConfig, Config, Decision, Mode, Policy, Snapshot, Timestamp};

    /// The fields of a blocked request's response. `own`: the application answers itself, and says this.
    fn fields_with(
        retry_after: RetryAfterSetting,
        own: Option<&'static str>,
    ) -> Result<HeaderMap, Box<dyn std::error::Error>> {
        let answer = AnswerConfig {
            retry_after: Some(retry_after),
            ..AnswerConfig::default()
        };
        let config = Config::new().mode(Mode::Offline).answer(answer);
        let policy = Policy::builder(config).answer(move |_, _| {
            let full = FullAnswer::new(503, "text/plain", "no").ok()?;
            let full = full.header("retry-after", own?).ok()?;
            Some(CustomAnswer::Full(full))
        });
        let snapshot = Snapshot::new(Arc::new(policy.build()?), None);
        let facts = Facts::new("GET", "/cart");
        match snapshot.decide(&facts, Timestamp::from_millis(0)) {
            Decision::Block(block) => Ok(response(&block, &facts).headers().clone()),
            Decision::Allow(allow) => Err(format!("{allow:?}").into()),
        }
    }

    #[test]
    fn retry_after_is_the_engines_or_the_applications_or_none()
    -> Result<(), Box<dyn std::error::Error>> {
        let seconds = || RetryAfterSetting::Seconds(120);
        let off = || RetryAfterSetting::Text("off".to_owned());
        let value = |fields: HeaderMap| {
            assert!(fields.get_all(RETRY_AFTER).iter().count() < 2, "{fields:?}");
            let value = fields.get(RETRY_AFTER)?;
            Some(value.to_str().unwrap_or_default().to_owned())
        };
        assert_eq!(value(fields_with(seconds(), None)?).as_deref(), Some("120"));
        assert_eq!(value(fields_with(off(), None)?), None);
        let own = fields_with(seconds(), Some("7"))?;
        assert_eq!(value(own).as_deref(), Some("7"));
        let own = fields_with(off(), Some("7"))?;
        assert_eq!(value(own).as_deref(), Some("7"));
        Ok(())
    }
}
