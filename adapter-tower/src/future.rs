//! The future of a response: the application's, an answer that is ready, or a question first.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use maintenance_mode::http::expire_cookies;
use maintenance_mode::live::InFlightGuard;
use maintenance_mode::{Policy, Verdict};
use pin_project_lite::pin_project;

use crate::body::MaintenanceBody;
use crate::functions::BoxFuture;

pin_project! {
    /// The future of [`MaintenanceService`](crate::MaintenanceService).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        stage: Stage<F>,
    }
}

pin_project! {
    #[project = StageProj]
    enum Stage<F> {
        // The future goes first: fields are dropped in this order, and the count ends last.
        Passed { #[pin] passed: Passed<F> },
        Answered { response: Option<Response<Bytes>> },
        Asking { asking: BoxFuture<'static, Outcome<F>> },
    }
}

pin_project! {
    /// A request on its way through the application.
    pub(crate) struct Passed<F> {
        #[pin]
        future: F,
        guard: Option<InFlightGuard>,
        // Nothing while every site is simply open.
        epilogue: Option<Box<Epilogue>>,
    }
}

/// What is done to the response of an admitted request.
pub(crate) struct Epilogue {
    /// Left in the response's extensions.
    pub(crate) verdict: Verdict,
    /// Whose cookies expire, if the visitor was logged out.
    pub(crate) expires: Option<Arc<Policy>>,
}

/// What becomes of a request that had to be asked about.
pub(crate) enum Outcome<F> {
    Passed(Passed<F>),
    Answered(Response<Bytes>),
}

impl<F> Passed<F> {
    pub(crate) const fn new(
        future: F,
        guard: InFlightGuard,
        epilogue: Option<Box<Epilogue>>,
    ) -> Self {
        Self {
            future,
            guard: Some(guard),
            epilogue,
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) const fn passed(passed: Passed<F>) -> Self {
        Self {
            stage: Stage::Passed { passed },
        }
    }

    pub(crate) const fn answered(response: Response<Bytes>) -> Self {
        Self {
            stage: Stage::Answered {
                response: Some(response),
            },
        }
    }

    pub(crate) const fn asking(asking: BoxFuture<'static, Outcome<F>>) -> Self {
        Self {
            stage: Stage::Asking { asking },
        }
    }
}

impl<F, R, E> Future for Passed<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<MaintenanceBody<R>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(cx))?;
        if let Some(epilogue) = this.epilogue.take() {
            epilogue.write(&mut response);
        }
        let guard = this.guard.take().expect("polled after completion");
        Poll::Ready(Ok(response.map(|body| MaintenanceBody::passed(body, guard))))
    }
}

impl Epilogue {
    fn write<R>(self, response: &mut Response<R>) {
        if let Some(policy) = self.expires {
            expire_cookies(response.headers_mut(), policy.logout_cookies());
        }
        // A layer further in may have closed what this one let through.
        response
            .extensions_mut()
            .get_or_insert_with(|| self.verdict);
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<MaintenanceBody<R>>, E>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let outcome = match self.as_mut().project().stage.project() {
                StageProj::Passed { passed } => return passed.poll(cx),
                StageProj::Answered { response } => {
                    let response = response.take().expect("polled after completion");
                    return Poll::Ready(Ok(response.map(MaintenanceBody::answer)));
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

impl<F> std::fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
