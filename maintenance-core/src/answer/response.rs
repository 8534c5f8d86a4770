//! One answer to one request.

use std::ops::Deref;

use bytes::Bytes;

use super::cors::{Allowed, EXPOSED};
use super::prepared::{Field, Prepared};
use super::{Format, RetryAfter};

/// Prepared parts: the snapshot's, or made for this request alone.
#[derive(Debug)]
pub(super) enum Parts<'s> {
    Shared(&'s Prepared),
    Own(Box<Prepared>),
}

impl Deref for Parts<'_> {
    type Target = Prepared;

    fn deref(&self) -> &Prepared {
        match self {
            Self::Shared(prepared) => prepared,
            Self::Own(prepared) => prepared,
        }
    }
}

/// One answer to one request: prepared parts, and the few fields that differ from request to request.
///
/// An adapter sends [`status`](Self::status), every field ([`Prepared::cache`] and
/// [`extra_fields`](Self::extra_fields), or [`for_each_field`](Self::for_each_field)), and
/// [`body_for`](Self::body_for) the method, with [`content_length`](Self::content_length) also for HEAD.
#[derive(Debug)]
pub struct Answer<'s> {
    parts: Parts<'s>,
    retry_after: Option<RetryAfter>,
    allowed: Option<Allowed<'s>>,
    grpc_details: Option<Box<str>>,
}

impl<'s> Answer<'s> {
    pub(super) const fn new(
        parts: Parts<'s>,
        retry_after: Option<RetryAfter>,
        allowed: Option<Allowed<'s>>,
    ) -> Self {
        Self {
            parts,
            retry_after,
            allowed,
            grpc_details: None,
        }
    }

    pub(super) fn with_grpc_details(mut self, details: Option<String>) -> Self {
        self.grpc_details = details.map(String::into_boxed_str);
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.parts.status()
    }

    /// What it is.
    #[must_use]
    pub fn format(&self) -> Format {
        self.parts.format()
    }

    /// The body, also where the method is HEAD; cloning it copies no bytes.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.parts.body()
    }

    /// The body to send: none for HEAD (RFC 9110, section 9.3.2).
    #[must_use]
    pub fn body_for(&self, method: &str) -> Bytes {
        if method == "HEAD" {
            Bytes::new()
        } else {
            self.body().clone()
        }
    }

    /// The value of `Content-Length`, the same for HEAD; `None` where there must be none (204).
    #[must_use]
    pub fn content_length(&self) -> Option<usize> {
        (self.status() != 204).then(|| self.body().len())
    }

    /// The parts that are the same for many requests, with the adapter's cache.
    #[must_use]
    pub fn prepared(&self) -> &Prepared {
        &self.parts
    }

    /// The fields that are the same for many requests.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        self.parts.fields()
    }

    /// When the client is asked to come back.
    #[must_use]
    pub const fn retry_after(&self) -> Option<&RetryAfter> {
        self.retry_after.as_ref()
    }

    /// The fields of this request alone, `Retry-After` among them. Names are in lower case, and none of
    /// them is among [`fields`](Self::fields).
    ///
    /// Putting a placeholder for `Retry-After` into the converted fields ([`Prepared::cache`]) and
    /// replacing it saves growing the copy; where [`retry_after`](Self::retry_after) is `None`, remove it.
    pub fn extra_fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let allowed = self.allowed.as_ref();
        [
            self.retry_after
                .as_ref()
                .map(|value| ("retry-after", value.as_str())),
            allowed.map(|allowed| ("access-control-allow-origin", allowed.origin)),
            allowed
                .filter(|allowed| allowed.credentials)
                .map(|_| ("access-control-allow-credentials", "true")),
            allowed.map(|_| ("access-control-expose-headers", EXPOSED)),
            self.grpc_details
                .as_deref()
                .map(|details| ("grpc-status-details-bin", details)),
        ]
        .into_iter()
        .flatten()
    }

    /// Calls `visit` with each field, prepared ones first. `Content-Length` is not among them.
    pub fn for_each_field(&self, mut visit: impl FnMut(&str, &[u8])) {
        for field in self.fields() {
            visit(field.name(), field.value().as_bytes());
        }
        for (name, value) in self.extra_fields() {
            visit(name, value.as_bytes());
        }
    }
}
