//! The endpoint: count, decide, pass on or answer.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use maintenance_mode::http::{Announced, expire_cookies, response, settle};
use maintenance_mode::live::{InFlightGuard, Judgement, Pass};
use maintenance_mode::{Facts, Policy, RouteOverride, Verdict, Visitor};
use poem::{Body, Endpoint, Error, IntoResponse, Request, Response, ResponseParts, Result, http};

use crate::body::count;
use crate::facts::{facts_of, target};
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
    Passed(InFlightGuard, Epilogue),
    Answered(Response),
}

/// What is done to the response of a request that was let through while something was closed.
struct Epilogue {
    verdict: Verdict,
    /// Whose cookies expire, if the visitor was logged out.
    expires: Option<Arc<Policy>>,
}

impl<E> MaintenanceEndpoint<E> {
    pub(crate) const fn new(inner: E, settings: Settings) -> Self {
        Self { inner, settings }
    }
}

impl<E: Endpoint> Endpoint for MaintenanceEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        // Counted before the flag is read: whoever closes the site and then counts misses nobody.
        let mut guard = self.settings.maintenance.in_flight().enter();
        let mut epilogue = None;
        if !self.settings.is_open() {
            match self.settings.consider(&mut request, guard).await {
                Outcome::Answered(response) => return Ok(response),
                Outcome::Passed(counted, after) => {
                    guard = counted;
                    epilogue = Some(after);
                }
            }
        }
        match self.inner.call(request).await {
            Ok(output) => {
                let mut response = output.into_response();
                if let Some(epilogue) = epilogue {
                    epilogue.write(&mut response);
                }
                count(&mut response, guard);
                Ok(response)
            }
            // Handed on as it is, for whoever catches it further out.
            Err(mut error) => {
                if let Some(epilogue) = epilogue {
                    epilogue.mark(&mut error);
                }
                Err(error)
            }
        }
    }
}

impl Settings {
    /// Whether the request goes through for the price of an atomic load.
    #[inline]
    fn is_open(&self) -> bool {
        self.route_override != Some(RouteOverride::ForceOn) && self.maintenance.is_quiet()
    }

    /// Decides, if need be with who asks, and carries it out but for the application's part.
    async fn consider(&self, request: &mut Request, guard: InFlightGuard) -> Outcome {
        let unasked = self.judge_unasked(request);
        let judgement = if let Some(judgement) = unasked {
            judgement
        } else {
            let identity = self.visitors.identify(request).await;
            identity.with_visitor(|visitor| self.judge(request, visitor))
        };
        match judgement {
            Judgement::Pass(pass) => {
                if pass.logs_out.is_some() {
                    self.visitors.log_out(request).await;
                }
                Outcome::Passed(guard, admit(request, pass))
            }
            Judgement::Answer { answer, logs_out } => {
                drop(guard);
                if logs_out {
                    self.visitors.log_out(request).await;
                }
                Outcome::Answered(self.answer(answer, request))
            }
        }
    }

    /// What becomes of the request, if that can be said without knowing who asks.
    fn judge_unasked(&self, request: &Request) -> Option<Judgement<Answer>> {
        let facts = self.facts(request);
        if self.visitors.can_identify() {
            self.maintenance.judge_unasked(&facts, response)
        } else {
            Some(self.maintenance.judge(&facts, response))
        }
    }

    /// What becomes of the request of this visitor.
    fn judge(&self, request: &Request, visitor: Visitor<'_>) -> Judgement<Answer> {
        let facts = self.facts(request).visitor(visitor);
        self.maintenance.judge(&facts, response)
    }

    fn facts<'a>(&self, request: &'a Request) -> Facts<'a> {
        let (forced, control) = self.paths.of(target(request).path());
        facts_of(request, self.peer(request))
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

/// Leaves with the request why it was let through.
fn admit(request: &mut Request, pass: Pass) -> Epilogue {
    let verdict = pass.admission.verdict().clone();
    request.set_data(pass.admission);
    Epilogue {
        verdict,
        expires: pass.logs_out,
    }
}

impl Epilogue {
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
