//! From an answer of the engine to an actix response.

use actix_web::HttpResponse;
use actix_web::body::BodySize;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use maintenance_mode::answer::{Field, expired_cookie};
use maintenance_mode::{Answer, Block, Facts};

use crate::body::MaintenanceBody;
use crate::verdict::Verdict;

/// Fields in actix's types.
type ConvertedFields = Vec<(HeaderName, HeaderValue)>;

/// The response to a blocked request.
pub(crate) fn response<B>(
    block: &Block<'_>,
    facts: &Facts<'_>,
) -> HttpResponse<MaintenanceBody<B>> {
    let answer = block.answer(facts);
    // The engine's statuses are checked when the policy is compiled.
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let body = MaintenanceBody::answer(answer.body_for(facts.method), body_size(&answer));
    let mut response = HttpResponse::with_body(status, body);
    put_fields(&mut response, &answer);
    for cookie in block.expired_cookies() {
        if let Ok(value) = HeaderValue::from_str(&expired_cookie(cookie)) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response.extensions_mut().insert(Verdict::of_block(block));
    response
}

fn body_size(answer: &Answer<'_>) -> BodySize {
    answer
        .content_length()
        .map_or(BodySize::None, |length| BodySize::Sized(length as u64))
}

fn put_fields<B>(response: &mut HttpResponse<B>, answer: &Answer<'_>) {
    let headers = response.headers_mut();
    let prepared = answer.prepared();
    // The response comes from a pool with room in its map, which a clone would throw away.
    let mut put = |fields: &ConvertedFields| {
        for (name, value) in fields {
            headers.insert(name.clone(), value.clone());
        }
    };
    match prepared.cache(convert) {
        Some(fields) => put(fields),
        None => put(&convert(prepared.fields())),
    }
    for (name, value) in answer.extra_fields() {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// In actix's types, once for each prepared answer. Names and values were checked when the answer was
/// prepared, so nothing is left out here.
fn convert(fields: &[Field]) -> ConvertedFields {
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
pub(crate) fn expire_cookies(headers: &mut HeaderMap, names: &[String]) {
    for name in names {
        let is_set_anew = headers.get_all(SET_COOKIE).any(|value| {
            let value = value.as_bytes();
            value.starts_with(name.as_bytes()) && value.get(name.len()) == Some(&b'=')
        });
        if !is_set_anew && let Ok(value) = HeaderValue::from_str(&expired_cookie(name)) {
            headers.append(SET_COOKIE, value);
        }
    }
}
