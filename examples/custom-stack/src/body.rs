//! A response body that keeps its request counted.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Frame, SizeHint};
use maintenance_mode::live::InFlightGuard;

/// Bytes, and the request's place in the count. hyper drops the body when it is sent and when the client
/// goes away; either ends the count.
#[derive(Debug)]
pub(crate) struct Body {
    bytes: Full<Bytes>,
    _guard: Option<InFlightGuard>,
}

impl Body {
    /// The body of an admitted request.
    pub(crate) fn counted(bytes: Bytes, guard: InFlightGuard) -> Self {
        Self {
            bytes: Full::new(bytes),
            _guard: Some(guard),
        }
    }

    /// A body that nobody waits for.
    pub(crate) fn plain(bytes: Bytes) -> Self {
        Self {
            bytes: Full::new(bytes),
            _guard: None,
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.bytes).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.bytes.size_hint()
    }
}
