//! The middleware: what the application's author writes.

use std::future::{Ready, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use maintenance_mode::{Identity, Maintenance, Peer, RouteOverride};

use crate::body::MaintenanceBody;
use crate::routes::NamedRoutes;
use crate::service::MaintenanceService;
use crate::visitor::ApplicationFns;

/// Lets requests through or answers them, as the engine decides.
///
/// Wrap the whole [`App`](actix_web::App) with it, outermost but for loggers and CORS: see the
/// [crate's page](crate).
///
/// ```
/// use actix_web::{App, dev::ServiceRequest};
/// use maintenance_mode::{Config, Identity, Maintenance};
/// use maintenance_mode_actix::MaintenanceMw;
///
/// async fn who(request: &ServiceRequest) -> Identity {
///     match request.cookie("sessionid") {
///         Some(session) if session.value() == "ada's" => Identity::user("ada").role("staff"),
///         _ => Identity::anonymous(),
///     }
/// }
///
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new().backend("memory:").allow_role("staff");
/// let maintenance = Maintenance::start(config).await?;
/// let middleware = MaintenanceMw::new(maintenance)
///     .identify(who)
///     .force_off_named("webhook");
/// let app = App::new().wrap(middleware);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a middleware does nothing unless an application is wrapped with it"]
pub struct MaintenanceMw {
    settings: Settings,
}

/// What the author fixed.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) maintenance: Maintenance,
    pub(crate) functions: ApplicationFns,
    pub(crate) named: NamedRoutes,
    pub(crate) route_override: Option<RouteOverride>,
    pub(crate) unix_socket: bool,
    pub(crate) test_mode: bool,
}

impl Settings {
    /// Whether some route is closed even while every site is online.
    #[inline]
    pub(crate) fn closes_routes(&self) -> bool {
        self.route_override.is_some() || !self.named.force_on.is_empty()
    }

    /// The connection's other end.
    pub(crate) fn peer(&self, request: &ServiceRequest) -> Peer {
        self.functions
            .peer(request)
            .unwrap_or_else(|| match request.peer_addr() {
                None if self.unix_socket => Peer::Unix,
                address => address.map(|address| address.ip()).into(),
            })
    }
}

impl MaintenanceMw {
    /// Decides by the mode of the request's site.
    pub fn new(maintenance: Maintenance) -> Self {
        Self {
            settings: Settings {
                maintenance,
                functions: ApplicationFns::default(),
                named: NamedRoutes::default(),
                route_override: None,
                unix_socket: false,
                test_mode: false,
            },
        }
    }

    /// Closes the scope or resource that is wrapped with it, whatever the mode and the exemptions.
    ///
    /// The surest way to close a route: no spelling of the path comes past it.
    pub fn force_on(maintenance: Maintenance) -> Self {
        let mut this = Self::new(maintenance);
        this.settings.route_override = Some(RouteOverride::ForceOn);
        this
    }

    /// Leaves the scope or resource that is wrapped with it open, whatever the mode; its requests are
    /// counted, and handlers see the status.
    ///
    /// It cannot undo what an outer `MaintenanceMw` has closed: a request that is blocked out there never
    /// comes here. Under an application that is wrapped as a whole, use
    /// [`force_off_named`](Self::force_off_named) on the outer one.
    pub fn force_off(maintenance: Maintenance) -> Self {
        let mut this = Self::new(maintenance);
        this.settings.route_override = Some(RouteOverride::ForceOff);
        this
    }

    /// Closes a named resource (`web::resource(…).name(…)`, `#[get("/…", name = "…")]`), whatever the mode
    /// and the exemptions.
    ///
    /// The name is found by the path, before routing, in both spellings that lead to the resource:
    /// escaped and plain. Two resources on one path that differ by guards only cannot be told apart, and
    /// a middleware further in that rewrites paths (`NormalizePath`) opens further spellings: wrap such a
    /// resource with [`force_on`](Self::force_on) instead. A name that is in both lists is closed.
    pub fn force_on_named(mut self, name: impl Into<String>) -> Self {
        self.settings.named.force_on.push(name.into());
        self
    }

    /// Leaves a named resource open, whatever the mode. Found as
    /// [`force_on_named`](Self::force_on_named) says, but only where both spellings agree.
    pub fn force_off_named(mut self, name: impl Into<String>) -> Self {
        self.settings.named.force_off.push(name.into());
        self
    }

    /// Says that a named resource is a control endpoint, the operator's way in: open in every mode, and
    /// known by the route's identity, never by a path pattern.
    pub fn control_named(mut self, name: impl Into<String>) -> Self {
        self.settings.named.control.push(name.into());
        self
    }

    /// How to find out who asks: an `async fn(&ServiceRequest) -> Identity`.
    ///
    /// It is called only when nothing cheaper has decided and some rule wants to know: never while the
    /// sites are online, never for exempt paths and addresses. It runs before the application, so a
    /// session middleware that it needs must be wrapped outside of this one. The request must not be
    /// cloned beyond the end of the call: actix routes only requests that nobody else holds.
    ///
    /// Without it, a visitor of whom rules want to know is blocked.
    pub fn identify<F>(mut self, identify: F) -> Self
    where
        F: AsyncFn(&ServiceRequest) -> Identity + Send + Sync + 'static,
    {
        self.settings.functions.set_identify(identify);
        self
    }

    /// Ends a visitor's session, where the policy's `logout` says so: an `async fn(&ServiceRequest)`.
    ///
    /// The cookies of `logout.cookies` are expired besides. This function must end the session on the
    /// server: where rules let anonymous visitors in, the request then goes on with its old `Cookie`
    /// field, and only the ended session makes its sender anonymous.
    pub fn on_logout<F>(mut self, log_out: F) -> Self
    where
        F: AsyncFn(&ServiceRequest) + Send + Sync + 'static,
    {
        self.settings.functions.set_log_out(log_out);
        self
    }

    /// Another way to find the connection's other end, such as a PROXY protocol listener's
    /// [`conn_data`](ServiceRequest::conn_data). Never a header: those belong into `[client_ip]`.
    pub fn peer(mut self, peer: impl Fn(&ServiceRequest) -> Peer + Send + Sync + 'static) -> Self {
        self.settings.functions.set_peer(peer);
        self
    }

    /// Says that the server listens on a unix socket: a connection without an address is somebody on this
    /// machine. Otherwise it is unknown, and no address rule admits it.
    pub const fn unix_socket(mut self) -> Self {
        self.settings.unix_socket = true;
        self
    }

    /// Says whether the application runs under test; counts only if the policy has `allow.tests`.
    pub const fn test_mode(mut self, under_test: bool) -> Self {
        self.settings.test_mode = under_test;
        self
    }

    fn warn_of_half_log_out(&self) {
        if self.settings.maintenance.policy().logs_out()
            && !(self.settings.functions.can_log_out() && self.settings.functions.can_identify())
        {
            tracing::warn!(
                "the policy logs visitors out, which takes `MaintenanceMw::identify` and \
                 `MaintenanceMw::on_logout`; without both, sessions stay alive on the server"
            );
        }
    }
}

impl<S, B> Transform<S, ServiceRequest> for MaintenanceMw
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<MaintenanceBody<B>>;
    type Error = Error;
    type Transform = MaintenanceService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    /// Once for each worker.
    fn new_transform(&self, service: S) -> Self::Future {
        self.warn_of_half_log_out();
        ready(Ok(MaintenanceService::new(service, self.settings.clone())))
    }
}
