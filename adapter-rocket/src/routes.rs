//! Routes with a meaning of their own.

use maintenance_mode::RouteOverride;
use maintenance_mode::live::Judgement;
use rocket::http::{Method, Status};
use rocket::route::{Handler, Outcome, Route};
use rocket::{Data, Request};

use crate::facts;
use crate::gate::{self, Gate, Kind, forward};
use crate::passage::Passage;

/// Ranks of an application beyond this are taken for it.
const FURTHEST: isize = 1_000_000;
/// Copies of closed routes are asked first, in the order of their routes' ranks.
const CLOSED: isize = gate::RANK - 8 * FURTHEST;
/// Then those of open ones.
const OPEN: isize = gate::RANK - 4 * FURTHEST;
/// What answers `HEAD` by a route for `GET` comes so much later than all routes for `HEAD`.
const FOR_HEAD: isize = 2 * FURTHEST;

/// Leaves routes open, whatever the mode; their requests are counted, and handlers see the status.
///
/// Mount what it returns, which is each route and, for a closed site, a copy before the gate. Which route
/// answers a request stays as it is on an open site. A request that a copy's handler forwards, because a
/// request guard did not let it in, is decided about like every other. Where a route of higher rank may
/// match the same path, the copy must know whether the gate would block; only there is the visitor looked
/// up for it.
///
/// ```
/// use maintenance_mode_rocket::force_off;
///
/// #[rocket::post("/webhooks/<shop>")]
/// fn webhook(shop: &str) -> String {
///     format!("thanks, {shop}")
/// }
///
/// let site = rocket::build().mount("/", force_off(rocket::routes![webhook]));
/// ```
#[must_use = "routes do nothing unless they are mounted"]
pub fn force_off(routes: impl Into<Vec<Route>>) -> Vec<Route> {
    open(routes.into(), Kind::Forced(RouteOverride::ForceOff))
}

/// Says that routes are control endpoints, the operator's way in: open in every mode, and known by the
/// route's identity, never by a path pattern. For the rest like [`force_off`].
#[must_use = "routes do nothing unless they are mounted"]
pub fn control(routes: impl Into<Vec<Route>>) -> Vec<Route> {
    open(routes.into(), Kind::Control)
}

/// Closes routes, whatever the mode and the exemptions, in every spelling of their paths.
///
/// It beats [`force_off`], whichever is applied first. Without a [`MaintenanceFairing`] in the application,
/// such a route answers nobody (503).
///
/// ```
/// use maintenance_mode_rocket::force_on;
///
/// #[rocket::get("/legacy/<_..>")]
/// fn legacy() -> &'static str {
///     "nobody should read this"
/// }
///
/// let site = rocket::build().mount("/", force_on(rocket::routes![legacy]));
/// ```
///
/// [`MaintenanceFairing`]: crate::MaintenanceFairing
#[must_use = "routes do nothing unless they are mounted"]
pub fn force_on(routes: impl Into<Vec<Route>>) -> Vec<Route> {
    let mut routes = routes.into();
    routes.retain(|route| route.rank > gate::RANK);
    for route in &mut routes {
        route.handler = Box::new(Closed(route.handler.clone()));
    }
    with_copies(routes, CLOSED, Kind::Forced(RouteOverride::ForceOn))
}

fn open(mut routes: Vec<Route>, kind: Kind) -> Vec<Route> {
    // Of two ways to be open the last one counts; closed routes stay closed.
    routes.retain(|route| !(OPEN - FURTHEST..gate::RANK).contains(&route.rank));
    with_copies(routes, OPEN, kind)
}

fn with_copies(mut routes: Vec<Route>, base: isize, kind: Kind) -> Vec<Route> {
    let originals = routes.iter().filter(|route| route.rank > gate::RANK);
    let copies: Vec<Route> = originals
        .flat_map(|route| copies(route, base, kind))
        .collect();
    routes.extend(copies);
    routes
}

/// The copy before the gate, and for `GET` one for `HEAD`: on a closed site, `HEAD` would not get as far
/// as being routed as `GET`.
fn copies(route: &Route, base: isize, kind: Kind) -> impl Iterator<Item = Route> {
    let rank = base + route.rank.clamp(-FURTHEST / 2, FURTHEST / 2);
    let copy = |method, rank| {
        let mut copy = route.clone();
        copy.method = method;
        copy.rank = rank;
        copy.handler = Box::new(Ahead {
            handler: route.handler.clone(),
            kind,
            method: route.method,
            rank: route.rank,
        });
        copy
    };
    let for_head = (route.method == Method::Get).then(|| copy(Method::Head, rank + FOR_HEAD));
    [copy(route.method, rank)].into_iter().chain(for_head)
}

/// Decides about a route before the gate does, on a site that is not simply open. Nobody is looked up for it
/// then.
#[derive(Clone)]
struct Ahead {
    handler: Box<dyn Handler>,
    kind: Kind,
    /// The method and rank of the route that this is a copy of.
    method: Method,
    rank: isize,
}

#[rocket::async_trait]
impl Handler for Ahead {
    async fn handle<'r>(&self, request: &'r Request<'_>, mut data: Data<'r>) -> Outcome<'r> {
        let Some(gate) = Gate::of(request) else {
            return forward(data);
        };
        if gate.maintenance().is_quiet() {
            return forward(data);
        }
        let passage = Passage::of(request);
        if passage.is_settled(request.method()) {
            return forward(data);
        }
        let closes = self.kind == Kind::Forced(RouteOverride::ForceOn);
        let may_be_preceded = self.may_be_preceded(request);
        if closes && may_be_preceded {
            return forward(data);
        }
        let guard = gate.maintenance().in_flight().enter();
        if may_be_preceded {
            let overridden = facts::is_overridden(request, &mut data).await;
            if let Judgement::Pass(pass) = gate.judge(request, overridden).await {
                // Routing goes on as on an open site; the gate needs not ask again.
                gate.admit(request, guard, pass, Some(request.method()))
                    .await;
                return forward(data);
            }
        }
        match gate.judge_fixed(request, self.kind) {
            Judgement::Pass(pass) => {
                passage.admit(guard, pass, None);
                self.handler.handle(request, data).await
            }
            Judgement::Answer { answer, .. } if closes => Outcome::Success(answer.respond(request)),
            Judgement::Answer { .. } => forward(data),
        }
    }
}

impl Ahead {
    /// Whether an open site may have another route that answers this request first.
    fn may_be_preceded(&self, request: &Request<'_>) -> bool {
        let Some(copy) = request.route() else {
            return true;
        };
        let path = request.uri().path();
        request.rocket().routes().any(|route| {
            let is_first = if route.method == self.method {
                route.rank < self.rank
            } else {
                route.method == copy.method
            };
            is_first && route.rank > gate::RANK && may_match(route.uri.path(), path.segments())
        })
    }
}

/// Whether a route with this path may take a request for these segments. In doubt it may.
fn may_match<'a>(route: &str, mut asked: impl Iterator<Item = &'a str>) -> bool {
    for segment in route.split('/').filter(|segment| !segment.is_empty()) {
        if segment.ends_with("..>") {
            return true;
        }
        let Some(asked) = asked.next() else {
            return false;
        };
        let is_open = segment.starts_with('<') || segment.contains('%');
        if !is_open && segment != asked {
            return false;
        }
    }
    asked.next().is_none()
}

/// Answers for a route that is always closed.
#[derive(Clone)]
struct Closed(Box<dyn Handler>);

#[rocket::async_trait]
impl Handler for Closed {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let Some(gate) = Gate::of(request) else {
            tracing::error!(
                "a route that is forced on needs `.attach(MaintenanceFairing::new(…))`"
            );
            return Outcome::Error(Status::ServiceUnavailable);
        };
        match gate.judge_fixed(request, Kind::Forced(RouteOverride::ForceOn)) {
            Judgement::Answer { answer, .. } => Outcome::Success(answer.respond(request)),
            Judgement::Pass(_) => self.0.handle(request, data).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::may_match;

    #[test]
    fn routes_match_as_rocket_matches_them() {
        let takes = |route: &str, asked: &[&str]| may_match(route, asked.iter().copied());
        for (route, asked) in [
            ("/open", &["open"][..]),
            ("/", &[]),
            ("/<file..>", &[]),
            ("/<file..>", &["a", "b"]),
            ("/open/<rest..>", &["open"]),
            ("/<a>/b", &["a", "b"]),
            ("/%6fpen", &["open"]),
        ] {
            assert!(takes(route, asked), "{route} {asked:?}");
        }
        for (route, asked) in [
            ("/open", &["shut"][..]),
            ("/open", &[]),
            ("/open", &["open", "more"]),
            ("/open/<a>", &["open"]),
            ("/b/<c..>", &["a", "b"]),
        ] {
            assert!(!takes(route, asked), "{route} {asked:?}");
        }
    }
}
