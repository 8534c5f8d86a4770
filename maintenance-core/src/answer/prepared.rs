//! The parts of an answer that are the same for many requests.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;

use super::Format;

/// A header field: a name in lower case and a value that is safe to send as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    name: Cow<'static, str>,
    value: Cow<'static, str>,
}

impl Field {
    /// A field whose name and value are known to be good.
    pub(super) fn fixed(name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: Cow::Borrowed(name),
            value: value.into(),
        }
    }

    /// A field from outside, already checked.
    pub(super) const fn checked(name: String, value: String) -> Self {
        Self {
            name: Cow::Owned(name),
            value: Cow::Owned(value),
        }
    }

    /// The name, in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name and the value, as far as they are part of the program.
    #[cfg(feature = "http")]
    pub(crate) const fn statics(&self) -> (Option<&'static str>, Option<&'static str>) {
        let name = match self.name {
            Cow::Borrowed(name) => Some(name),
            Cow::Owned(_) => None,
        };
        let value = match self.value {
            Cow::Borrowed(value) => Some(value),
            Cow::Owned(_) => None,
        };
        (name, value)
    }

    /// The value: printable ASCII, spaces and tabs.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// The parts of an answer that are the same for many requests, rendered once.
pub struct Prepared {
    status: u16,
    format: Format,
    body: Bytes,
    fields: Box<[Field]>,
    converted: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Prepared {
    pub(super) fn new(status: u16, format: Format, body: Bytes, fields: Vec<Field>) -> Self {
        Self {
            status,
            format,
            body,
            fields: fields.into_boxed_slice(),
            converted: OnceLock::new(),
        }
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// What it is.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The body; cloning it copies no bytes.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The header fields that are the same for every request.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The fields as an adapter's own type, converted by `build` at the first call.
    ///
    /// There is one place for it. When two frameworks in one process share a snapshot, the second gets
    /// `None` and converts for each request.
    pub fn cache<T: Any + Send + Sync>(&self, build: impl FnOnce(&[Field]) -> T) -> Option<&T> {
        self.converted
            .get_or_init(|| Box::new(build(&self.fields)))
            .downcast_ref()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("status", &self.status)
            .field("format", &self.format)
            .field("fields", &self.fields)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converted_once_and_for_one_framework() {
        let fields = vec![Field::fixed("x-maintenance", "1")];
        let prepared = Prepared::new(503, Format::Text, Bytes::new(), fields);
        assert_eq!(prepared.cache(<[Field]>::len), Some(&1));
        assert_eq!(prepared.cache(|_| 7_usize), Some(&1));
        assert_eq!(prepared.cache(|_| "another type"), None);
    }
}
