//! The response body: the application's with the count of the request in it, or an answer's.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use maintenance_mode::live::InFlightGuard;
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response that came through [`MaintenanceLayer`](crate::MaintenanceLayer).
    ///
    /// As long as it lives, the request counts as in flight. Servers drop it when it has ended, when the
    /// client goes away and when the connection's task panics.
    #[derive(Debug)]
    pub struct MaintenanceBody<R> {
        #[pin]
        kind: Kind<R>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProj]
    enum Kind<R> {
        // The body goes first: fields are dropped in this order, and the count ends last.
        Passed { #[pin] body: R, guard: InFlightGuard },
        Answer { bytes: Bytes },
    }
}

impl<R> MaintenanceBody<R> {
    pub(crate) const fn passed(body: R, guard: InFlightGuard) -> Self {
        Self {
            kind: Kind::Passed { body, guard },
        }
    }

    pub(crate) const fn answer(bytes: Bytes) -> Self {
        Self {
            kind: Kind::Answer { bytes },
        }
    }
}

impl<R> Body for MaintenanceBody<R>
where
    R: Body,
    R::Data: From<Bytes>,
{
    type Data = R::Data;
    type Error = R::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().kind.project() {
            KindProj::Passed { body, .. } => body.poll_frame(cx),
            KindProj::Answer { bytes } => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes.into()))))
            }
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Passed { body, .. } => body.is_end_stream(),
            Kind::Answer { bytes } => bytes.is_empty(),
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Passed { body, .. } => body.size_hint(),
            // An answer says its length itself. The one that has none, a 204, must not get any (RFC 9110,
            // section 8.6), and axum adds a length wherever the hint is exact.
            Kind::Answer { bytes } if bytes.is_empty() => SizeHint::default(),
            Kind::Answer { bytes } => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
