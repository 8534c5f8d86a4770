//! From an answer of the engine to a response.

use ::http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
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
    // The same length for HEAD, whose body is empty.
    if let Some(length) = answer.content_length() {
        let value = HeaderValue::from(length);
        response.headers_mut().insert(CONTENT_LENGTH, value);
    }
    append_expired(response.headers_mut(), block.expired_cookies());
    response.extensions_mut().insert(Verdict::from(block));
    response
}

/// The prepared fields are converted once for each answer; the rest belongs to this request.
fn fields(answer: &Answer<'_>) -> HeaderMap {
    let prepared = answer.prepared();
    let mut fields = match prepared.cache(convert) {
        Some(fields) => fields.clone(),
        None => convert(prepared.fields()),
    };
    for (name, value) in answer.extra_fields() {
        if let Ok(value) = HeaderValue::from_str(value) {
            fields.insert(HeaderName::from_static(name), value);
        }
    }
    fields
}

/// Names and values were checked when the answer was prepared, so nothing is left out here.
fn convert(fields: &[Field]) -> HeaderMap {
    fields
        .iter()
        .filter_map(|field| {
            let name = HeaderName::from_bytes(field.name().as_bytes()).ok()?;
            let value = HeaderValue::from_str(field.value()).ok()?;
            Some((name, value))
        })
        .collect()
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
