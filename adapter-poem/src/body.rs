//! Counting until a response body ends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use maintenance_mode::live::InFlightGuard;
use poem::Response;

/// A response body with the count of its request in it. Servers drop it when it has ended, when the client
/// goes away and when the connection's task panics.
struct Counted {
    // The body goes first: fields are dropped in this order, and the count ends last.
    body: BoxBody<Bytes, io::Error>,
    _guard: InFlightGuard,
}

/// Counts on until the response's body has ended or was dropped.
///
/// poem knows no body but a boxed one, so this costs a box.
pub(crate) fn count(response: &mut Response, guard: InFlightGuard) {
    let body = Counted {
        body: response.take_body().into(),
        _guard: guard,
    };
    response.set_body(BoxBody::new(body));
}

impl Body for Counted {
    type Data = Bytes;
    type Error = io::Error;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
