//! The service: count, decide, pass on or answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use maintenance_mode::http::{Announced, response, settle};
use maintenance_mode::live::{InFlightGuard, Judgement, Pass};
use maintenance_mode::{Facts, Peer, Visitor};
use tower_service::Service;

use crate::body::MaintenanceBody;
use crate::facts::Head;
use crate::future::{Epilogue, Outcome, Passed, ResponseFuture};
use crate::layer::Settings;

/// The service that [`MaintenanceLayer`](crate::MaintenanceLayer) makes.
#[derive(Clone, Debug)]
pub struct MaintenanceService<S> {
    inner: S,
    gate: Arc<Gate>,
}

/// What decides; everything but the application.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) settings: Settings,
    peer_was_checked: AtomicBool,
    log_out_was_checked: AtomicBool,
}

/// With the same settings, and nothing checked yet.
impl Clone for Gate {
    fn clone(&self) -> Self {
        Self::new(self.settings.clone())
    }
}

impl<S> MaintenanceService<S> {
    pub(crate) const fn new(inner: S, gate: Arc<Gate>) -> Self {
        Self { inner, gate }
    }
}

impl<S, B, R> Service<Request<B>> for MaintenanceService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    B: Body + Send + 'static,
{
    type Response = Response<MaintenanceBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let settings = &self.gate.settings;
        // Counted before the flag is read: whoever closes the site and then counts misses nobody.
        let guard = settings.maintenance.in_flight().enter();
        if !self.gate.peer_was_checked.load(Ordering::Relaxed) {
            self.gate.check_peer(Head::of(&request));
        }
        if !settings.closes_routes() && settings.maintenance.is_quiet() {
            return ResponseFuture::passed(Passed::new(self.inner.call(request), guard, None));
        }
        self.consider(request, guard)
    }
}

impl<S> MaintenanceService<S> {
    #[inline(never)]
    fn consider<B>(
        &mut self,
        request: Request<B>,
        guard: InFlightGuard,
    ) -> ResponseFuture<S::Future>
    where
        S: Service<Request<B>> + Clone + Send + 'static,
        B: Body + Send + 'static,
    {
        match self.gate.judge_unasked(Head::of(&request)) {
            Some(Judgement::Pass(pass)) => {
                ResponseFuture::passed(carry_out(pass, &mut self.inner, request, guard))
            }
            Some(Judgement::Answer { answer, .. }) => {
                ResponseFuture::answered(self.gate.answer(answer, request))
            }
            None => {
                // The one that said that it is ready goes along; the clone has not said so yet.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                let gate = Arc::clone(&self.gate);
                ResponseFuture::asking(Box::pin(ask(ready, gate, request, guard)))
            }
        }
    }
}

/// Looks the visitor up, decides again, and logs him out if he must be.
async fn ask<S, B>(
    mut inner: S,
    gate: Arc<Gate>,
    request: Request<B>,
    guard: InFlightGuard,
) -> Outcome<S::Future>
where
    S: Service<Request<B>>,
    B: Body + Send + 'static,
{
    let visitors = &gate.settings.functions.visitors;
    let (parts, body) = request.into_parts();
    let identity = visitors.identify(&parts).await;
    let judgement = identity.with_visitor(|visitor| gate.judge(Head::from(&parts), visitor));
    match judgement {
        Judgement::Pass(pass) => {
            if pass.logs_out.is_some() {
                visitors.log_out(&parts).await;
            }
            let request = Request::from_parts(parts, body);
            Outcome::Passed(carry_out(pass, &mut inner, request, guard))
        }
        Judgement::Answer { answer, logs_out } => {
            drop(guard);
            if logs_out {
                visitors.log_out(&parts).await;
            }
            Outcome::Answered(gate.answer(answer, Request::from_parts(parts, body)))
        }
    }
}

/// Hands the request to the application.
fn carry_out<S, B>(
    pass: Pass,
    inner: &mut S,
    mut request: Request<B>,
    guard: InFlightGuard,
) -> Passed<S::Future>
where
    S: Service<Request<B>>,
{
    let epilogue = Box::new(Epilogue {
        verdict: pass.admission.verdict().clone(),
        expires: pass.logs_out,
    });
    request.extensions_mut().insert(pass.admission);
    Passed::new(inner.call(request), guard, Some(epilogue))
}

impl Gate {
    pub(crate) const fn new(settings: Settings) -> Self {
        Self {
            settings,
            peer_was_checked: AtomicBool::new(false),
            log_out_was_checked: AtomicBool::new(false),
        }
    }

    /// Says once what the policy needs and the author has not given.
    pub(crate) fn warn_of_half_log_out(&self) {
        if self.log_out_was_checked.swap(true, Ordering::Relaxed) {
            return;
        }
        let visitors = &self.settings.functions.visitors;
        if !visitors.can_log_out() && self.settings.maintenance.policy().logs_out() {
            tracing::warn!(
                "the policy logs visitors out, which takes `MaintenanceLayer::identify` and \
                 `MaintenanceLayer::on_logout`; without both, sessions stay alive on the server"
            );
        }
    }

    /// The first request shows whether the server tells the peer's address.
    #[cold]
    fn check_peer(&self, head: Head<'_>) {
        if self.peer_was_checked.swap(true, Ordering::Relaxed) {
            return;
        }
        if self.settings.peer(head.extensions) == Peer::Unknown {
            tracing::warn!(
                "requests come without their peer's address, so rules for addresses admit nobody: \
                 with axum, serve by `into_make_service_with_connect_info::<SocketAddr>()` and say \
                 `.peer_from(|info: &ConnectInfo<SocketAddr>| info.ip())`; with hyper, put the \
                 `SocketAddr` into the request's extensions; with a unix socket, say `.unix_socket()`"
            );
        }
    }

    /// The answer, with the request's unread body looked after.
    fn answer<B>(&self, mut response: Response<Bytes>, request: Request<B>) -> Response<Bytes>
    where
        B: Body + Send + 'static,
    {
        if request.body().is_end_stream() {
            return response;
        }
        let announced = Announced::of(request.version(), request.headers());
        let body = request.into_body();
        settle(self.settings.drain, announced, body, response.headers_mut());
        response
    }

    /// What becomes of the request, if that can be said without knowing who asks.
    fn judge_unasked(&self, head: Head<'_>) -> Option<Judgement<Response<Bytes>>> {
        let settings = &self.settings;
        let can_identify = settings.functions.visitors.can_identify();
        self.with_facts(head, Visitor::Unknown, |facts| {
            let maintenance = &settings.maintenance;
            maintenance.judge_unasked(facts, can_identify, response)
        })
    }

    /// What becomes of the request of this visitor.
    fn judge(&self, head: Head<'_>, visitor: Visitor<'_>) -> Judgement<Response<Bytes>> {
        self.with_facts(head, visitor, |facts| {
            self.settings.maintenance.judge(facts, response)
        })
    }

    fn with_facts<T>(
        &self,
        head: Head<'_>,
        visitor: Visitor<'_>,
        then: impl FnOnce(&Facts<'_>) -> T,
    ) -> T {
        let settings = &self.settings;
        let (route_override, control) = settings.route(head.extensions);
        let facts = head
            .facts(settings.uri(&head), settings.peer(head.extensions))
            .visitor(visitor)
            .route_override(route_override)
            .control(control)
            .test(settings.test_mode);
        then(&facts)
    }
}
