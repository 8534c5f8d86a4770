//! Making a response out of an answer: eight fields and a body.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use maintenance_mode::answer::{Answer, Field, RetryAfter};
use maintenance_mode::{AnswerConfig, Config, Decision, Facts, Mode, Policy, Snapshot, Timestamp};

use super::decide::peer;
use super::{Runner, Scenario};
use crate::Trouble;

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "answer/prepared",
        prepare: || answered(true),
    },
    Scenario {
        name: "answer/decided-only",
        prepare: || answered(false),
    },
    Scenario {
        name: "ten-liner/answer",
        prepare: ten_liner,
    },
];

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Decides, and makes a response if `respond`; the difference is what the response costs.
fn answered(respond: bool) -> Result<Runner, Trouble> {
    let answer = AnswerConfig {
        format: Some(maintenance_mode::answer::FormatChoice::Text),
        retry_after: Some(maintenance_mode::answer::RetryAfterSetting::Seconds(120)),
        ..AnswerConfig::default()
    };
    let policy = Policy::compile(Config::new().mode(Mode::Offline).answer(answer))?;
    let snapshot = Snapshot::new(Arc::new(policy), None);
    snapshot.prepare(NOW);
    Ok(Box::new(move |count| {
        for _ in 0..count {
            let facts = Facts::new("GET", "/articles").peer(peer());
            let Decision::Block(block) = snapshot.decide(black_box(&facts), NOW) else {
                return;
            };
            if respond {
                let answer = block.answer(&facts);
                let response = response(&answer);
                let shares_body = response.body().as_ptr() == answer.body().as_ptr();
                assert!(shares_body, "the body was copied");
                black_box(response);
            } else {
                let _ = black_box(block);
            }
        }
    }))
}

fn response(answer: &Answer<'_>) -> Response<Bytes> {
    let mut response = Response::new(answer.body().clone());
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut headers = answer
        .prepared()
        .cache(convert)
        .cloned()
        .unwrap_or_default();
    for (name, value) in answer.extra_fields() {
        let fixed = answer
            .retry_after()
            .filter(|_| name == "retry-after")
            .and_then(RetryAfter::as_static);
        let value = match fixed {
            Some(fixed) => Ok(HeaderValue::from_static(fixed)),
            None => HeaderValue::from_str(value),
        };
        if let Ok(value) = value {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    *response.headers_mut() = headers;
    response
}

fn convert(fields: &[Field]) -> HeaderMap {
    // Room for the fields that differ from request to request.
    let mut headers = HeaderMap::with_capacity(fields.len() + 2);
    for field in fields {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(field.name().as_bytes()),
            HeaderValue::from_str(field.value()),
        ) {
            headers.append(name, value);
        }
    }
    // Replaced by each request's own value, so that no map has to grow.
    headers.insert(RETRY_AFTER, HeaderValue::from_static("0"));
    headers
}

/// The same fields written out for each request, as people do it by hand.
fn ten_liner() -> Result<Runner, Trouble> {
    Ok(Box::new(move |count| {
        for _ in 0..count {
            let response = Response::builder()
                .status(503)
                .header("content-type", "text/plain; charset=utf-8")
                .header("retry-after", "120")
                .header("cache-control", "no-store")
                .header("x-maintenance", "1")
                .header("vary", "accept, accept-language")
                .header("content-language", "en")
                .header("x-content-type-options", "nosniff")
                .header("referrer-policy", "no-referrer")
                .body(Bytes::from_static(b"Back soon."));
            assert!(black_box(response).is_ok());
        }
    }))
}
