//! The future of a response: the application's, an answer that is ready, or a question first.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use maintenance_mode::live::InFlightGuard;
use pin_project_lite::pin_project;

use crate::body::MaintenanceBody;
use crate::visitor::LocalBoxFuture;

/// What comes out.
pub(crate) type Outcome<B> = Result<ServiceResponse<MaintenanceBody<B>>, Error>;

pin_project! {
    /// The future of [`MaintenanceService`](crate::MaintenanceService).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    {
        #[pin]
        stage: Stage<S::Future, B>,
    }
}

// An answer is boxed: it is large, and this value is moved for each request of an open site, too.
pin_project! {
    #[project = StageProj]
    enum Stage<F, B> {
        // The future goes first: fields are dropped in this order, and the count ends last.
        Passed { #[pin] future: F, guard: Option<InFlightGuard> },
        Answered { response: Option<Box<ServiceResponse<MaintenanceBody<B>>>> },
        Asking { asking: LocalBoxFuture<'static, Outcome<B>> },
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    /// A request on its way through the application.
    #[inline]
    pub(crate) const fn passed(future: S::Future, guard: InFlightGuard) -> Self {
        let guard = Some(guard);
        Self {
            stage: Stage::Passed { future, guard },
        }
    }

    /// A request that is answered here.
    pub(crate) fn answered(response: ServiceResponse<MaintenanceBody<B>>) -> Self {
        let response = Some(Box::new(response));
        Self {
            stage: Stage::Answered { response },
        }
    }

    /// A request whose visitor must be looked up.
    pub(crate) const fn asking(asking: LocalBoxFuture<'static, Outcome<B>>) -> Self {
        Self {
            stage: Stage::Asking { asking },
        }
    }
}

impl<S, B> Future for ResponseFuture<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Output = Outcome<B>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().stage.project() {
            StageProj::Passed { future, guard } => {
                let response = ready!(future.poll(cx))?;
                let guard = guard.take().expect("polled after completion");
                Poll::Ready(Ok(response.map_body(|head, body| {
                    MaintenanceBody::passed(body, head.status, guard)
                })))
            }
            StageProj::Answered { response } => {
                let response = response.take().expect("polled after completion");
                Poll::Ready(Ok(*response))
            }
            StageProj::Asking { asking } => asking.as_mut().poll(cx),
        }
    }
}
