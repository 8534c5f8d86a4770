//! Conditions of requests (RFC 9110, section 13), as S3 understands them.

use http::HeaderMap;

use super::faults::{Condition, Faults};

/// What a condition that does not hold is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NotModified,
    Failed,
    /// S3's answer to `If-Match` where nothing is.
    NoSuchKey,
}

/// Whether an object with this tag, or none, may be read.
pub(super) fn may_read(headers: &HeaderMap, tag: &str) -> Result<(), Refusal> {
    match header(headers, "if-none-match") {
        Some(known) if known == tag => Err(Refusal::NotModified),
        _ => Ok(()),
    }
}

/// Whether an object with this tag, or none, may be written.
pub(super) fn may_write(
    headers: &HeaderMap,
    tag: Option<&str>,
    faults: &Faults,
) -> Result<(), Refusal> {
    if header(headers, "if-none-match") == Some("*")
        && tag.is_some()
        && !faults.ignores(Condition::IfNoneMatch)
    {
        return Err(Refusal::Failed);
    }
    match (header(headers, "if-match"), tag) {
        _ if faults.ignores(Condition::IfMatch) => Ok(()),
        (Some(_), None) => Err(Refusal::NoSuchKey),
        (Some(wanted), Some(tag)) if wanted != tag => Err(Refusal::Failed),
        _ => Ok(()),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
