//! Counting requests until their bodies have ended, and nothing else, as a tower layer and in parts: what
//! counting alone costs.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// The layer, and what it makes of a service.
#[derive(Clone, Debug)]
pub(super) struct Counted<S> {
    inner: S,
    running: Arc<AtomicU64>,
}

/// Puts [`Counted`] around a service.
#[derive(Clone, Debug, Default)]
pub(super) struct CountedLayer {
    running: Arc<AtomicU64>,
}

/// One running request.
#[derive(Debug)]
pub(super) struct Running(Arc<AtomicU64>);

impl Running {
    pub(super) fn begin(running: &Arc<AtomicU64>) -> Self {
        running.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(running))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<S> Layer<S> for CountedLayer {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        let running = Arc::clone(&self.running);
        Counted { inner, running }
    }
}

impl<S, B, R> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<CountedBody<R>>;
    type Error = S::Error;
    type Future = CountedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let running = Some(Running::begin(&self.running));
        let future = self.inner.call(request);
        CountedFuture { future, running }
    }
}

pin_project! {
    pub(super) struct CountedFuture<F> {
        #[pin]
        future: F,
        running: Option<Running>,
    }
}

impl<F, R, E> Future for CountedFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<CountedBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.future.poll(cx))?;
        let running = this.running.take().expect("polled after completion");
        Poll::Ready(Ok(response.map(|body| CountedBody::new(body, running))))
    }
}

pin_project! {
    pub(super) struct CountedBody<R> {
        #[pin]
        body: R,
        running: Running,
    }
}

impl<R> CountedBody<R> {
    pub(super) const fn new(body: R, running: Running) -> Self {
        Self { body, running }
    }
}

impl<R: Body> Body for CountedBody<R> {
    type Data = R::Data;
    type Error = R::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<R::Data>, R::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
