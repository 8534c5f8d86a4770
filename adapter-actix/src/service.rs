//! The service: count, decide, pass on or answer.

use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage, HttpResponse};
use maintenance_mode::live::{InFlightGuard, Judgement};
use maintenance_mode::{Facts, Visitor};

use crate::answer;
use crate::body::MaintenanceBody;
use crate::facts::FactsSource;
use crate::future::{Outcome, ResponseFuture};
use crate::middleware::Settings;

/// The service that [`MaintenanceMw`](crate::MaintenanceMw) makes, one for each worker.
#[derive(Debug)]
pub struct MaintenanceService<S> {
    inner: Rc<S>,
    gate: Rc<Gate>,
}

/// What decides; everything but the application.
#[derive(Debug)]
struct Gate {
    settings: Settings,
}

/// What becomes of a request, in actix's types.
type Judged<B> = Judgement<HttpResponse<MaintenanceBody<B>>>;

impl<S> MaintenanceService<S> {
    pub(crate) fn new(inner: S, settings: Settings) -> Self {
        Self {
            inner: Rc::new(inner),
            gate: Rc::new(Gate { settings }),
        }
    }
}

impl<S, B> Service<ServiceRequest> for MaintenanceService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: 'static,
{
    type Response = ServiceResponse<MaintenanceBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S, B>;

    #[inline]
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&self, request: ServiceRequest) -> Self::Future {
        let settings = &self.gate.settings;
        // Counted before the flag is read: whoever closes the site and then counts misses nobody.
        let guard = settings.maintenance.in_flight().enter();
        if !settings.closes_routes() && settings.maintenance.is_quiet() {
            return ResponseFuture::passed(self.inner.call(request), guard);
        }
        self.consider(request, guard)
    }
}

impl<S, B> MaintenanceService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: 'static,
{
    #[inline(never)]
    fn consider(&self, request: ServiceRequest, guard: InFlightGuard) -> ResponseFuture<S, B> {
        match self.gate.judge_unasked(&request) {
            Some(Judgement::Pass(pass)) => {
                request.extensions_mut().insert(pass.admission);
                ResponseFuture::passed(self.inner.call(request), guard)
            }
            Some(Judgement::Answer { answer, .. }) => {
                ResponseFuture::answered(request.into_response(answer))
            }
            None => ResponseFuture::asking(Box::pin(ask(
                Rc::clone(&self.inner),
                Rc::clone(&self.gate),
                request,
                guard,
            ))),
        }
    }
}

/// Looks the visitor up, decides again, logs him out if he must be, and goes on or answers.
async fn ask<S, B>(
    inner: Rc<S>,
    gate: Rc<Gate>,
    request: ServiceRequest,
    guard: InFlightGuard,
) -> Outcome<B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let functions = &gate.settings.functions;
    let identity = functions.identify(&request).await;
    match identity.with_visitor(|visitor| gate.judge(&request, visitor)) {
        Judgement::Pass(pass) => {
            request.extensions_mut().insert(pass.admission);
            if pass.logs_out.is_some() {
                functions.log_out(&request).await;
            }
            let mut response = inner.call(request).await?;
            if let Some(policy) = pass.logs_out {
                answer::expire_cookies(response.headers_mut(), policy.logout_cookies());
            }
            Ok(response.map_body(|head, body| MaintenanceBody::passed(body, head.status, guard)))
        }
        Judgement::Answer { answer, logs_out } => {
            drop(guard);
            if logs_out {
                functions.log_out(&request).await;
            }
            Ok(request.into_response(answer))
        }
    }
}

impl Gate {
    /// What becomes of the request, if that can be said without knowing who asks.
    fn judge_unasked<B>(&self, request: &ServiceRequest) -> Option<Judged<B>> {
        let settings = &self.settings;
        let can_identify = settings.functions.can_identify();
        self.with_facts(request, Visitor::Unknown, |facts| {
            let maintenance = &settings.maintenance;
            maintenance.judge_unasked(facts, can_identify, answer::response)
        })
    }

    /// What becomes of the request of this visitor.
    fn judge<B>(&self, request: &ServiceRequest, visitor: Visitor<'_>) -> Judged<B> {
        self.with_facts(request, visitor, |facts| {
            self.settings.maintenance.judge(facts, answer::response)
        })
    }

    fn with_facts<T>(
        &self,
        request: &ServiceRequest,
        visitor: Visitor<'_>,
        then: impl FnOnce(&Facts<'_>) -> T,
    ) -> T {
        let settings = &self.settings;
        let routes = settings.named.facts(request.request());
        let source = FactsSource::new(request.request());
        let facts = source
            .facts(settings.peer(request))
            .visitor(visitor)
            .route_override(settings.route_override.or(routes.route_override))
            .control(routes.control)
            .test(settings.test_mode);
        then(&facts)
    }
}
