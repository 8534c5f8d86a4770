//! What the application fixed for routes, by the router's templates.

use std::fmt;
use std::sync::Arc;

use http::Extensions;
use maintenance_mode::RouteOverride;

type TemplateFn = dyn for<'a> Fn(&'a Extensions) -> Option<&'a str> + Send + Sync;

/// Routes with a meaning of their own, known by the template that the router matched.
///
/// A template is what was written for the route, prefixes of nested routers included: `/users/{id}`.
/// axum leaves it with the request when it routes, so the layer must be put on by `Router::layer`; a layer
/// around the whole router comes before routing and sees none, and then a forced route follows the mode.
///
/// ```
/// use axum::extract::MatchedPath;
/// use maintenance_mode_tower::Routes;
///
/// let routes = Routes::by(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))
///     .force_off("/webhooks/{shop}")
///     .force_on("/legacy")
///     .control("/maintenance/status");
/// ```
#[derive(Clone)]
#[must_use = "routes do nothing unless `MaintenanceLayer::routes` gets them"]
pub struct Routes {
    template: Arc<TemplateFn>,
    force_on: Vec<String>,
    force_off: Vec<String>,
    control: Vec<String>,
}

impl Routes {
    /// No route yet. `template` finds what the router matched in a request's extensions.
    pub fn by<F>(template: F) -> Self
    where
        F: for<'a> Fn(&'a Extensions) -> Option<&'a str> + Send + Sync + 'static,
    {
        Self {
            template: Arc::new(template),
            force_on: Vec::new(),
            force_off: Vec::new(),
            control: Vec::new(),
        }
    }

    /// Closes a route, whatever the mode and the exemptions. A template that is forced both ways is closed.
    pub fn force_on(mut self, template: impl Into<String>) -> Self {
        self.force_on.push(template.into());
        self
    }

    /// Leaves a route open, whatever the mode.
    pub fn force_off(mut self, template: impl Into<String>) -> Self {
        self.force_off.push(template.into());
        self
    }

    /// Says that a route is a control endpoint, the operator's way in: open in every mode.
    pub fn control(mut self, template: impl Into<String>) -> Self {
        self.control.push(template.into());
        self
    }

    pub(crate) fn close_some(&self) -> bool {
        !self.force_on.is_empty()
    }

    /// What is fixed for a request, and whether it is for control.
    pub(crate) fn of(&self, extensions: &Extensions) -> (Option<RouteOverride>, bool) {
        let Some(template) = (self.template)(extensions) else {
            return (None, false);
        };
        let is_in = |templates: &[String]| templates.iter().any(|t| t == template);
        let route_override = if is_in(&self.force_on) {
            Some(RouteOverride::ForceOn)
        } else {
            is_in(&self.force_off).then_some(RouteOverride::ForceOff)
        };
        (route_override, is_in(&self.control))
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes")
            .field("force_on", &self.force_on)
            .field("force_off", &self.force_off)
            .field("control", &self.control)
            .finish_non_exhaustive()
    }
}
