//! The endpoint: count, decide, pass on or answer.

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use maintenance_mode::http::{Announced, response, settle};
use maintenance_mode::live::{InFlightGuard, Judgement};
use maintenance_mode::{Facts, RouteOverride, Visitor};
use poem::{Body, Endpoint, Request, Response, ResponseParts, Result, http};

use crate::facts::{facts_of, target};
use crate::future::{Epilogue, Passed, ResponseFuture};
use crate::middleware::Settings;

type Answer = http::Response<Bytes>;

/// The endpoint that [`MaintenanceMiddleware`](crate::MaintenanceMiddleware) makes.
#[derive(Debug)]
pub struct MaintenanceEndpoint<E> {
    inner: E,
    settings: Settings,
}

/// What becomes of a request.
enum Outcome {
    Passed(Box<Epilogue>),
    Answered(Response),
    /// It depends on who asks.
    Unknown,
}

impl<E: Endpoint> Endpoint for MaintenanceEndpoint<E> {
    type Output = Response;

    /// No `async fn`: each would copy the request once more.
    #[inline]
    fn call(&self, mut request: Request) -> impl Future<Output = Result<Response>> + Send {
        // Counted before the flag is read: whoever closes the site and then counts misses nobody.
        let guard = self.settings.maintenance.in_flight().enter();
        let mut epilogue = None;
        if !self.settings.is_open(&request) {
            match self.settings.consider(&mut request) {
                Outcome::Passed(after) => epilogue = Some(after),
                Outcome::Answered(response) => {
                    let response = Some(response);
                    return ResponseFuture::Answered { response };
                }
                Outcome::Unknown => {
                    let asking = Box::pin(self.ask(request, guard));
                    return ResponseFuture::Asking { asking };
                }
            }
        }
        let passed = Passed::new(self.inner.call(request), guard, epilogue);
        ResponseFuture::Passed { passed }
    }
}

impl<E: Endpoint> MaintenanceEndpoint<E> {
    pub(crate) const fn new(inner: E, settings: Settings) -> Self {
        Self { inner, settings }
    }

    /// Looks the visitor up, decides again, and logs him out if he must be.
    async fn ask(&self, mut request: Request, guard: InFlightGuard) -> Result<Response> {
        let visitors = &self.settings.visitors;
        let identity = visitors.identify(&request).await;
        match identity.with_visitor(|visitor| self.settings.judge(&request, visitor)) {
            Judgement::Pass(pass) => {
                if pass.logs_out.is_some() {
                    visitors.log_out(&request).await;
                }
                let epilogue = Epilogue::admit(&mut request, pass);
                Passed::new(self.inner.call(request), guard, Some(epilogue)).await
            }
            Judgement::Answer { answer, logs_out } => {
                drop(guard);
                if logs_out {
                    visitors.log_out(&request).await;
                }
                Ok(self.settings.answer(answer, &mut request))
            }
        }
    }
}

impl Settings {
    /// Whether the request goes through for the price of an atomic load; and of a look at its path, if some
    /// are closed.
    #[inline]
    fn is_open(&self, request: &Request) -> bool {
        let closes = |forced| forced == Some(RouteOverride::ForceOn);
        !closes(self.route_override)
            && self.maintenance.is_quiet()
            && !(self.paths.close_some() && closes(self.paths.of(target(request).path()).0))
    }

    /// What becomes of the request, as far as that can be said without knowing who asks.
    #[inline(never)]
    fn consider(&self, request: &mut Request) -> Outcome {
        match self.judge_unasked(request) {
            Some(Judgement::Pass(pass)) => Outcome::Passed(Epilogue::admit(request, pass)),
            Some(Judgement::Answer { answer, .. }) => {
                Outcome::Answered(self.answer(answer, request))
            }
            None => Outcome::Unknown,
        }
    }

    fn judge_unasked(&self, request: &Request) -> Option<Judgement<Answer>> {
        let can_identify = self.visitors.can_identify();
        let facts = self.facts(request);
        self.maintenance
            .judge_unasked(&facts, can_identify, response)
    }

    /// What becomes of the request of this visitor.
    fn judge(&self, request: &Request, visitor: Visitor<'_>) -> Judgement<Answer> {
        let facts = self.facts(request).visitor(visitor);
        self.maintenance.judge(&facts, response)
    }

    fn facts<'a>(&self, request: &'a Request) -> Facts<'a> {
        let target = target(request);
        let (forced, control) = self.paths.of(target.path());
        facts_of(request, target, self.peer(request))
            .route_override(self.route_override.or(forced))
            .control(control)
            .test(self.test_mode)
    }

    /// The answer, with the request's unread body looked after.
    fn answer(&self, answer: Answer, request: &mut Request) -> Response {
        let announced = Announced::of(request.version(), request.headers());
        let (mut head, bytes) = answer.into_parts();
        let unread: BoxBody<_, _> = request.take_body().into();
        settle(self.drain, announced, unread, &mut head.headers);
        let head = ResponseParts {
            status: head.status,
            version: head.version,
            headers: head.headers,
            extensions: head.extensions,
        };
        Response::from_parts(head, Body::from_bytes(bytes))
    }
}
