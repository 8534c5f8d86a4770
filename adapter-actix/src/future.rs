//! The future of a response: the application's, an answer that is ready, or a question first.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use maintenance_mode::Policy;
use maintenance_mode::live::InFlightGuard;
use pin_project_lite::pin_project;

use crate::answer;
use crate::body::MaintenanceBody;
use crate::visitor::LocalBoxFuture;

pin_project! {
    /// The future of [`MaintenanceService`](crate::MaintenanceService).
    #[project = ResponseFutureProj]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    {
        #[pin]
        stage: Stage<S::Future, B>,
    }
}

pin_project! {
    #[project = StageProj]
    enum Stage<F, B> {
        // The future goes first: fields are dropped in this order, and the count ends last.
        Passed { #[pin] passed: Passed<F> },
        Answered { response: Option<ServiceResponse<MaintenanceBody<B>>> },
        Asking { asking: LocalBoxFuture<'static, Outcome<F, B>> },
    }
}

pin_project! {
    /// A request on its way through the application.
    pub(crate) struct Passed<F> {
        #[pin]
        future: F,
        guard: Option<InFlightGuard>,
        // Whose cookies expire, if the visitor was logged out.
        expires: Option<Arc<Policy>>,
    }
}

/// What becomes of a request that had to be asked about.
pub(crate) enum Outcome<F, B> {
    Passed(Passed<F>),
    Answered(ServiceResponse<MaintenanceBody<B>>),
}

impl<F> Passed<F> {
    pub(crate) const fn new(future: F, guard: InFlightGuard) -> Self {
        Self {
            future,
            guard: Some(guard),
            expires: None,
        }
    }

    /// The response expires the cookies that this policy names.
    pub(crate) fn expiring(mut self, policy: Option<Arc<Policy>>) -> Self {
        self.expires = policy;
        self
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    pub(crate) const fn passed(passed: Passed<S::Future>) -> Self {
        Self {
            stage: Stage::Passed { passed },
        }
    }

    pub(crate) const fn answered(response: ServiceResponse<MaintenanceBody<B>>) -> Self {
        Self {
            stage: Stage::Answered {
                response: Some(response),
            },
        }
    }

    pub(crate) const fn asking(asking: LocalBoxFuture<'static, Outcome<S::Future, B>>) -> Self {
        Self {
            stage: Stage::Asking { asking },
        }
    }
}

impl<F, B> Future for Passed<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<MaintenanceBody<B>>, Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(cx))?;
        if let Some(policy) = this.expires {
            answer::expire_cookies(&mut response, policy.logout_cookies());
        }
        let guard = this.guard.take().expect("polled after completion");
        Poll::Ready(Ok(response.map_body(|head, body| {
            MaintenanceBody::passed(body, head.status, guard)
        })))
    }
}

impl<S, B> Future for ResponseFuture<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Output = Result<ServiceResponse<MaintenanceBody<B>>, Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let outcome = match self.as_mut().project().stage.project() {
                StageProj::Passed { passed } => return passed.poll(cx),
                StageProj::Answered { response } => {
                    let response = response.take().expect("polled after completion");
                    return Poll::Ready(Ok(response));
                }
                StageProj::Asking { asking } => ready!(asking.as_mut().poll(cx)),
            };
            self.as_mut().project().stage.set(match outcome {
                Outcome::Passed(passed) => Stage::Passed { passed },
                Outcome::Answered(response) => Stage::Answered {
                    response: Some(response),
                },
            });
        }
    }
}
