//! The gate: the routes that come before all others, and decide.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use maintenance_mode::live::{InFlightGuard, Judgement, Pass};
use maintenance_mode::{Facts, Maintenance, Peer, RouteOverride, Visitor};
use rocket::http::{Method, Status};
use rocket::route::{Handler, Outcome, Route};
use rocket::{Data, Request};

use crate::facts::{self, FactsSource};
use crate::functions::ApplicationFns;
use crate::passage::{Passage, settled_by};
use crate::reply::Reply;

/// Before all routes of an application.
pub(crate) const RANK: isize = isize::MIN / 2;

/// Every method that Rocket knows.
const METHODS: [Method; 9] = [
    Method::Get,
    Method::Put,
    Method::Post,
    Method::Delete,
    Method::Options,
    Method::Head,
    Method::Trace,
    Method::Connect,
    Method::Patch,
];

pub(crate) type BoxedOutcome<'a, 'r> = Pin<Box<dyn Future<Output = Outcome<'r>> + Send + 'a>>;

/// What decides. Rocket manages a clone, so that routes and guards find it.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Settings>);

/// What the author fixed.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) maintenance: Maintenance,
    pub(crate) functions: ApplicationFns,
    pub(crate) test_mode: bool,
}

/// What was fixed for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Forced(RouteOverride),
    Control,
}

impl Gate {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(settings))
    }

    /// The gate of the Rocket that serves a request.
    pub(crate) fn of<'r>(request: &'r Request<'_>) -> Option<&'r Self> {
        request.rocket().state()
    }

    pub(crate) fn maintenance(&self) -> &Maintenance {
        &self.0.maintenance
    }

    /// The connection's other end.
    pub(crate) fn peer(&self, request: &Request<'_>) -> Peer {
        self.0.functions.peer(request)
    }

    /// One route for each method.
    pub(crate) fn routes(&self) -> Vec<Route> {
        let route = |method| {
            let mut route = Route::ranked(RANK, method, "/<_..>", self.clone());
            route.name = Some("maintenance".into());
            route
        };
        METHODS.into_iter().map(route).collect()
    }

    async fn consider<'r>(
        &self,
        request: &'r Request<'_>,
        mut data: Data<'r>,
        guard: InFlightGuard,
    ) -> Outcome<'r> {
        let passage = Passage::of(request);
        let method = request.method();
        if passage.settle(method) {
            return forward(data);
        }
        let overridden = facts::is_overridden(request, &mut data).await;
        match self.judge(request, overridden).await {
            Judgement::Pass(pass) => {
                self.admit(request, guard, pass, settled_by(method)).await;
                forward(data)
            }
            Judgement::Answer { answer, logs_out } => {
                drop(guard);
                if logs_out {
                    self.0.functions.log_out(request).await;
                }
                Outcome::Success(answer.respond(request))
            }
        }
    }

    /// Lets a request through, its visitor logged out if he must be.
    pub(crate) async fn admit(
        &self,
        request: &Request<'_>,
        guard: InFlightGuard,
        pass: Pass,
        settled: Option<Method>,
    ) {
        if pass.logs_out.is_some() {
            self.0.functions.log_out(request).await;
        }
        Passage::of(request).admit(guard, pass, settled);
    }

    /// What becomes of a request, by the rules for ordinary routes.
    pub(crate) async fn judge(&self, request: &Request<'_>, overridden: bool) -> Judgement<Reply> {
        let functions = &self.0.functions;
        let unasked = self.with_facts(request, overridden, Visitor::Unknown, |facts| {
            let can_identify = functions.can_identify();
            self.maintenance()
                .judge_unasked(facts, can_identify, Reply::new)
        });
        match unasked {
            Some(judgement) => judgement,
            None => functions.identify(request).await.with_visitor(|visitor| {
                self.with_facts(request, overridden, visitor, |facts| {
                    self.maintenance().judge(facts, Reply::new)
                })
            }),
        }
    }

    /// What becomes of a request to a route that is fixed, whoever asks.
    pub(crate) fn judge_fixed(&self, request: &Request<'_>, kind: Kind) -> Judgement<Reply> {
        let (route_override, control) = match kind {
            Kind::Forced(route_override) => (Some(route_override), false),
            Kind::Control => (None, true),
        };
        self.with_facts(request, false, Visitor::Unknown, |facts| {
            let facts = facts.route_override(route_override).control(control);
            self.maintenance().judge(&facts, Reply::new)
        })
    }

    fn with_facts<T>(
        &self,
        request: &Request<'_>,
        overridden: bool,
        visitor: Visitor<'_>,
        with: impl FnOnce(&Facts<'_>) -> T,
    ) -> T {
        let source = FactsSource::new(request, overridden);
        let facts = source.facts(self.peer(request));
        with(&facts.visitor(visitor).test(self.0.test_mode))
    }
}

impl Handler for Gate {
    // By hand, so that what is boxed for a request of an open site is small.
    #[inline]
    fn handle<'r, 'life0, 'life1, 'async_trait>(
        &'life0 self,
        request: &'r Request<'life1>,
        data: Data<'r>,
    ) -> BoxedOutcome<'async_trait, 'r>
    where
        'r: 'async_trait,
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        // Counted before the flag is read: whoever closes the site and then counts misses nobody.
        let guard = self.maintenance().in_flight().enter();
        if self.maintenance().is_quiet() {
            Passage::open(request, guard);
            return Box::pin(Forward(Some(data)));
        }
        Box::pin(self.consider(request, data, guard))
    }
}

/// A request that goes on to the next route.
struct Forward<'r>(Option<Data<'r>>);

impl<'r> Future for Forward<'r> {
    type Output = Outcome<'r>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Outcome<'r>> {
        self.0
            .take()
            .map_or(Poll::Pending, |data| Poll::Ready(forward(data)))
    }
}

/// Goes on to the next route, and to the catcher for 404 if there is none.
#[inline]
pub(crate) fn forward(data: Data<'_>) -> Outcome<'_> {
    Outcome::Forward((data, Status::NotFound))
}
