//! What the application fixed for routes, by their names.

use actix_web::HttpRequest;
use maintenance_mode::RouteOverride;

/// Named routes with a meaning of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamedRoutes {
    pub(crate) force_on: Vec<String>,
    pub(crate) force_off: Vec<String>,
    pub(crate) control: Vec<String>,
}

/// What the names say about one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RouteFacts {
    pub(crate) route_override: Option<RouteOverride>,
    pub(crate) control: bool,
}

impl NamedRoutes {
    pub(crate) fn facts(&self, request: &HttpRequest) -> RouteFacts {
        if self.force_on.is_empty() && self.force_off.is_empty() && self.control.is_empty() {
            return RouteFacts::default();
        }
        let names = RouteNames::of(request);
        let route_override = if names.any_in(&self.force_on) {
            Some(RouteOverride::ForceOn)
        } else if names.all_in(&self.force_off) {
            Some(RouteOverride::ForceOff)
        } else {
            None
        };
        RouteFacts {
            route_override,
            control: names.all_in(&self.control),
        }
    }
}

/// The route's name by the path on the wire and by the path that the router compares.
///
/// Before routing, actix finds names by the former; `/%61lways-closed` has none there and still reaches
/// the handler. So either name closes, and opening needs both.
struct RouteNames<'a> {
    wire: Option<&'a str>,
    routed: Option<&'a str>,
}

impl<'a> RouteNames<'a> {
    fn of(request: &'a HttpRequest) -> Self {
        let wire = request.match_name();
        let routed_path = request.match_info().as_str();
        let routed = if routed_path == request.path() {
            wire
        } else {
            request.resource_map().match_name(routed_path)
        };
        Self { wire, routed }
    }

    fn any_in(&self, names: &[String]) -> bool {
        [self.wire, self.routed]
            .into_iter()
            .flatten()
            .any(|name| names.iter().any(|n| n == name))
    }

    fn all_in(&self, names: &[String]) -> bool {
        [self.wire, self.routed]
            .into_iter()
            .all(|name| name.is_some_and(|name| names.iter().any(|n| n == name)))
    }
}
