//! The future of a response: the application's, an answer that is ready, or a question first.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use maintenance_mode::http::expire_cookies;
use maintenance_mode::live::{InFlightGuard, Pass};
use maintenance_mode::{Policy, Verdict};
use pin_project_lite::pin_project;
use poem::{Error, IntoResponse, Request, Response, Result};

use crate::body::count;

pin_project! {
    #[project = ResponseFutureProj]
    pub(crate) enum ResponseFuture<'e, F> {
        Passed { #[pin] passed: Passed<F> },
        Answered { response: Option<Response> },
        Asking { asking: Pin<Box<dyn Future<Output = Result<Response>> + Send + 'e>> },
    }
}

pin_project! {
    /// A request on its way through the application.
    pub(crate) struct Passed<F> {
        // The future goes first: fields are dropped in this order, and the count ends last.
        #[pin]
        future: F,
        guard: Option<InFlightGuard>,
        // Nothing while every site is simply open.
        epilogue: Option<Box<Epilogue>>,
    }
}

/// What is done to the response of a request that was let through while something was closed.
pub(crate) struct Epilogue {
    verdict: Verdict,
    /// Whose cookies expire, if the visitor was logged out.
    expires: Option<Arc<Policy>>,
}

impl<F> Passed<F> {
    #[inline]
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

impl<F, R> Future for Passed<F>
where
    F: Future<Output = Result<R>>,
    R: IntoResponse,
{
    type Output = Result<Response>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut result = ready!(this.future.poll(cx)).map(IntoResponse::into_response);
        let guard = this.guard.take().expect("polled after completion");
        let epilogue = this.epilogue.take();
        match &mut result {
            Ok(response) => {
                if let Some(epilogue) = epilogue {
                    epilogue.write(response);
                }
                count(response, guard);
            }
            // Handed on as it is, for whoever catches it further out.
            Err(error) => {
                if let Some(epilogue) = epilogue {
                    epilogue.mark(error);
                }
            }
        }
        Poll::Ready(result)
    }
}

impl<F, R> Future for ResponseFuture<'_, F>
where
    F: Future<Output = Result<R>>,
    R: IntoResponse,
{
    type Output = Result<Response>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            ResponseFutureProj::Passed { passed } => passed.poll(cx),
            ResponseFutureProj::Answered { response } => {
                Poll::Ready(Ok(response.take().expect("polled after completion")))
            }
            ResponseFutureProj::Asking { asking } => asking.as_mut().poll(cx),
        }
    }
}

impl Epilogue {
    /// Leaves with the request why it is let through.
    pub(crate) fn admit(request: &mut Request, pass: Pass) -> Box<Self> {
        let verdict = pass.admission.verdict().clone();
        request.set_data(pass.admission);
        Box::new(Self {
            verdict,
            expires: pass.logs_out,
        })
    }

    fn write(self, response: &mut Response) {
        if let Some(policy) = self.expires {
            expire_cookies(response.headers_mut(), policy.logout_cookies());
        }
        // A gate further in may have closed what this one let through.
        if response.data::<Verdict>().is_none() {
            response.set_data(self.verdict);
        }
    }

    /// poem hands the data of an error on to the response that is made of it.
    fn mark(self, error: &mut Error) {
        if error.data::<Verdict>().is_none() {
            error.set_data(self.verdict);
        }
    }
}
