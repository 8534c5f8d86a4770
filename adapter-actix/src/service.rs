//! The service: count, decide, pass on or answer.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage, HttpResponse};
use maintenance_mode::live::InFlightGuard;
use maintenance_mode::{Admission, Decision, Facts, Policy, Snapshot, Timestamp, Visitor};

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

/// What becomes of a request.
enum Judgement<B> {
    /// Let it through; with the policy whose cookies expire if the visitor is logged out.
    Pass { logs_out: Option<Arc<Policy>> },
    /// Answer it here.
    Answer {
        response: HttpResponse<MaintenanceBody<B>>,
        logs_out: bool,
    },
}

/// A decision with all that it was made from.
struct Decided<'d> {
    decision: Decision<'d>,
    facts: &'d Facts<'d>,
    snapshot: &'d Arc<Snapshot>,
    now: Timestamp,
}

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
            Some(Judgement::Pass { .. }) => ResponseFuture::passed(self.inner.call(request), guard),
            Some(Judgement::Answer { response, .. }) => {
                ResponseFuture::answered(request.into_response(response))
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
        Judgement::Pass { logs_out } => {
            if logs_out.is_some() {
                functions.log_out(&request).await;
            }
            let mut response = inner.call(request).await?;
            if let Some(policy) = logs_out {
                answer::expire_cookies(response.headers_mut(), policy.logout_cookies());
            }
            Ok(response.map_body(|head, body| MaintenanceBody::passed(body, head.status, guard)))
        }
        Judgement::Answer { response, logs_out } => {
            drop(guard);
            if logs_out {
                functions.log_out(&request).await;
            }
            Ok(request.into_response(response))
        }
    }
}

impl Gate {
    /// What becomes of the request, if that can be said without knowing who asks.
    fn judge_unasked<B>(&self, request: &ServiceRequest) -> Option<Judgement<B>> {
        let can_identify = self.settings.functions.can_identify();
        self.decide(request, Visitor::Unknown, |decided| {
            let asks = can_identify && decided.decision.asks_for_visitor();
            (!asks).then(|| decided.carry_out(request))
        })
    }

    /// What becomes of the request of this visitor.
    fn judge<B>(&self, request: &ServiceRequest, visitor: Visitor<'_>) -> Judgement<B> {
        self.decide(request, visitor, |decided| decided.carry_out(request))
    }

    fn decide<T>(
        &self,
        request: &ServiceRequest,
        visitor: Visitor<'_>,
        then: impl FnOnce(Decided<'_>) -> T,
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
        let snapshot = settings.maintenance.snapshot();
        let now = Timestamp::from(SystemTime::now());
        then(Decided {
            decision: snapshot.decide(&facts, now),
            facts: &facts,
            snapshot: &snapshot,
            now,
        })
    }
}

impl Decided<'_> {
    /// Makes the answer, or leaves word for the status extractor.
    fn carry_out<B>(self, request: &ServiceRequest) -> Judgement<B> {
        match self.decision {
            Decision::Allow(allow) => {
                request.extensions_mut().insert(Admission::new(
                    Arc::clone(self.snapshot),
                    self.now,
                    self.facts.peer,
                    &allow,
                ));
                Judgement::Pass {
                    logs_out: allow.logout.then(|| Arc::clone(self.snapshot.policy())),
                }
            }
            Decision::Block(block) => Judgement::Answer {
                response: answer::response(&block, self.facts),
                logs_out: block.logout,
            },
            // A decision that this adapter does not know yet lets nobody in.
            _ => Judgement::Answer {
                response: answer::bare(),
                logs_out: false,
            },
        }
    }
}
