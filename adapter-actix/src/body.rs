//! The response body: the application's with the count of the request in it, or an answer's.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use bytes::Bytes;
use maintenance_mode::live::InFlightGuard;
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response that came through [`MaintenanceMw`](crate::MaintenanceMw).
    ///
    /// As long as it lives, the request counts as in flight. It is dropped when it has ended, when the
    /// client goes away and when the connection's task panics.
    #[derive(Debug)]
    pub struct MaintenanceBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProj]
    enum Kind<B> {
        // The body goes first: fields are dropped in this order, and the count ends last.
        Passed { #[pin] body: B, guard: InFlightGuard },
        Answer { bytes: Bytes, size: BodySize },
    }
}

impl<B> MaintenanceBody<B> {
    /// An upgraded connection lives as long as its body and is counted apart.
    pub(crate) fn passed(body: B, status: StatusCode, guard: InFlightGuard) -> Self {
        let guard = if status == StatusCode::SWITCHING_PROTOCOLS {
            guard.upgrade()
        } else {
            guard
        };
        Self {
            kind: Kind::Passed { body, guard },
        }
    }

    /// `size` is what `Content-Length` says; for HEAD, that is more than `bytes` has.
    pub(crate) const fn answer(bytes: Bytes, size: BodySize) -> Self {
        Self {
            kind: Kind::Answer { bytes, size },
        }
    }
}

impl<B: MessageBody> MessageBody for MaintenanceBody<B> {
    type Error = B::Error;

    #[inline]
    fn size(&self) -> BodySize {
        match &self.kind {
            Kind::Passed { body, .. } => body.size(),
            Kind::Answer { size, .. } => *size,
        }
    }

    #[inline]
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match self.project().kind.project() {
            KindProj::Passed { body, .. } => body.poll_next(cx),
            KindProj::Answer { bytes, .. } => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
            }
        }
    }

    /// A body that is complete already ends here, and the count with it: nothing of the application is
    /// left to run.
    #[inline]
    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self.kind {
            Kind::Passed { body, guard } => match body.try_into_bytes() {
                Ok(bytes) => Ok(bytes),
                Err(body) => Err(Self {
                    kind: Kind::Passed { body, guard },
                }),
            },
            // The answer to HEAD must keep the size that it promises.
            Kind::Answer { bytes, size } if size == BodySize::Sized(bytes.len() as u64) => {
                Ok(bytes)
            }
            kind @ Kind::Answer { .. } => Err(Self { kind }),
        }
    }
}
