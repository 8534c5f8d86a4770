//! What the application's own function may answer.

use bytes::Bytes;

use super::Format;
use super::cors::is_token;
use super::prepared::Field;

/// What the application's own function decides for one request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CustomAnswer {
    /// A built-in answer in this format. `Preflight` and `Custom` mean "as negotiated".
    Format(Format),
    /// An answer of the application's own.
    Full(FullAnswer),
}

/// An answer of the application's own. It also gets the fields that keep it out of caches, the marker,
/// `Retry-After` unless it brings one, and the CORS fields.
///
/// ```
/// use maintenance_mode::answer::FullAnswer;
///
/// let answer = FullAnswer::new(503, "application/xml", "<closed/>")?.header("X-Shop", "closed")?;
/// # let _ = answer;
/// assert!(FullAnswer::new(503, "text/html\r\nSet-Cookie: x", "").is_err());
/// # Ok::<(), maintenance_mode::answer::CustomAnswerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FullAnswer {
    pub(super) status: u16,
    pub(super) body: Bytes,
    pub(super) fields: Vec<Field>,
}

/// The application's answer cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomAnswerError {
    /// Not a status with a body.
    #[error(
        "{0} is not a status for an answer with a body; use 200 to 599 without 204, 205 and 304"
    )]
    Status(u16),
    /// Not a field name.
    #[error("`{0}` is not a header field name; use letters, digits and `-`")]
    Name(String),
    /// Not a field value.
    #[error(
        "the value of `{0}` has characters that a header field cannot carry; use printable ASCII"
    )]
    Value(String),
    /// A field that is not the application's to set here.
    #[error("`{0}` is set by the answer or the server itself; leave it out")]
    Reserved(String),
}

/// Framing belongs to the server; caching and the marker are promises of this project; validators would
/// let a client get a 304 for the page.
const RESERVED: [&str; 21] = [
    "accept-ranges",
    "age",
    "cache-control",
    "cdn-cache-control",
    "connection",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expires",
    "keep-alive",
    "last-modified",
    "pragma",
    "proxy-connection",
    "surrogate-control",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    super::MARKER,
];

impl FullAnswer {
    /// An answer with this status, media type and body.
    ///
    /// # Errors
    ///
    /// A status without a body or out of range, or a media type that no header can carry.
    pub fn new(
        status: u16,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Self, CustomAnswerError> {
        if !(200..=599).contains(&status) || matches!(status, 204 | 205 | 304) {
            return Err(CustomAnswerError::Status(status));
        }
        let content_type = checked_value("content-type", content_type)?;
        Ok(Self {
            status,
            body: body.into(),
            fields: vec![Field::fixed("content-type", content_type)],
        })
    }

    /// The same answer with one more header field.
    ///
    /// # Errors
    ///
    /// A malformed name or value, or a field that the answer or the server sets itself.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, CustomAnswerError> {
        if !is_token(name) {
            return Err(CustomAnswerError::Name(name.escape_debug().to_string()));
        }
        let name = name.to_ascii_lowercase();
        if RESERVED.contains(&name.as_str()) {
            return Err(CustomAnswerError::Reserved(name));
        }
        let value = checked_value(&name, value)?;
        self.fields.push(Field::checked(name, value));
        Ok(self)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name() == name)
    }
}

/// RFC 9110, section 5.5, without its obsolete non-ASCII part.
fn checked_value(name: &str, value: &str) -> Result<String, CustomAnswerError> {
    if value.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~')) {
        Ok(value.trim().to_owned())
    } else {
        Err(CustomAnswerError::Value(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_sent_is_refused() -> Result<(), CustomAnswerError> {
        let answer = FullAnswer::new(200, "text/plain", "x")?;
        for status in [0, 100, 199, 204, 205, 304, 600] {
            assert_eq!(
                FullAnswer::new(status, "a/b", "").err(),
                Some(CustomAnswerError::Status(status))
            );
        }
        for name in ["", "a b", "a:b", "a\r\nb", "ä"] {
            assert!(
                matches!(
                    answer.clone().header(name, "x"),
                    Err(CustomAnswerError::Name(_))
                ),
                "{name:?}"
            );
        }
        for value in ["a\r\nSet-Cookie: b", "a\nb", "a\0b", "ä", "\x7f"] {
            assert!(
                matches!(
                    answer.clone().header("x-a", value),
                    Err(CustomAnswerError::Value(_))
                ),
                "{value:?}"
            );
        }
        for name in ["Cache-Control", "X-Maintenance", "Content-Length", "ETag"] {
            assert!(
                matches!(
                    answer.clone().header(name, "x"),
                    Err(CustomAnswerError::Reserved(_))
                ),
                "{name}"
            );
        }
        assert!(answer.header("Set-Cookie", "a=b")?.has("set-cookie"));
        Ok(())
    }
}
