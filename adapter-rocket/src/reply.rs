//! From an answer of the engine to a Rocket response.

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use maintenance_mode::answer::{Field, expired_cookie};
use maintenance_mode::{Block, Facts, Verdict};
use rocket::http::{Method, Status};
use rocket::{Request, Response};

use crate::passage::Passage;

/// The largest piece in which Rocket copies a body to the connection, in bytes.
const LARGEST_CHUNK: usize = 64 << 10;

/// An answer that does not depend on the snapshot any more.
pub(crate) struct Reply {
    pub(crate) verdict: Verdict,
    status: Status,
    fields: Arc<[Field]>,
    extra: Vec<(&'static str, String)>,
    cookies: Vec<String>,
    body: Bytes,
}

impl Reply {
    pub(crate) fn new(block: &Block<'_>, facts: &Facts<'_>) -> Self {
        let answer = block.answer(facts);
        let shared = answer.prepared().cache(|fields| Arc::from(fields));
        let extra = answer.extra_fields();
        Self {
            verdict: block.into(),
            status: Status::new(answer.status()),
            fields: shared.cloned().unwrap_or_else(|| answer.fields().into()),
            extra: extra
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
            cookies: block
                .expired_cookies()
                .iter()
                .map(|name| expired_cookie(name))
                .collect(),
            body: answer.body().clone(),
        }
    }

    /// Answers the request here. The body of `HEAD` and 204 is left out by Rocket, with the length kept
    /// where there must be one.
    pub(crate) fn respond<'r>(mut self, request: &'r Request<'_>) -> Response<'r> {
        let mut response = Response::new();
        Passage::of(request).block(self.verdict.clone(), None);
        self.put(request, &mut response);
        response
    }

    /// Answers the request in place of a catcher, whose response this is.
    pub(crate) fn replace<'r>(mut self, request: &'r Request<'_>, response: &mut Response<'r>) {
        response.remove_header("Content-Type");
        response.remove_header("Content-Length");
        drop(response.body_mut().take());
        self.put(request, response);
    }

    fn put<'r>(&mut self, request: &'r Request<'_>, response: &mut Response<'r>) {
        response.set_status(self.status);
        match Passage::of(request).keep(Arc::clone(&self.fields)) {
            Ok(fields) => {
                for field in fields {
                    response.set_raw_header(field.name(), field.value());
                }
            }
            Err(fields) => {
                for field in &*fields {
                    response.set_raw_header(field.name().to_owned(), field.value().to_owned());
                }
            }
        }
        for (name, value) in self.extra.drain(..) {
            response.set_raw_header(name, value);
        }
        for cookie in self.cookies.drain(..) {
            response.adjoin_raw_header("Set-Cookie", cookie);
        }
        // An empty body is the default, and lets HTTP/2 end with the head; but only of a body that was set
        // does `HEAD` tell the length.
        if !self.body.is_empty() || request.method() == Method::Head {
            let body = std::mem::take(&mut self.body);
            let length = body.len();
            response.set_sized_body(length, Cursor::new(body));
            response.set_max_chunk_size(length.clamp(1, LARGEST_CHUNK));
        }
    }
}

/// Expires cookies of a visitor who was logged out and let in as an anonymous one.
///
/// A cookie that the application has set anew in this response is left alone: it belongs to the
/// anonymous visitor.
pub(crate) fn expire_cookies(response: &mut Response<'_>, names: &[String]) {
    for name in names {
        let is_set_anew = response.headers().get("Set-Cookie").any(|value| {
            value
                .strip_prefix(name.as_str())
                .is_some_and(|rest| rest.starts_with('='))
        });
        if !is_set_anew {
            response.adjoin_raw_header("Set-Cookie", expired_cookie(name));
        }
    }
}
