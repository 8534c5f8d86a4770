//! The layer: what the application's author writes.

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{Extensions, Uri};
use maintenance_mode::http::Drain;
use maintenance_mode::live::RequestFn;
use maintenance_mode::{Identity, Maintenance, Peer, RouteOverride};
use tower_layer::Layer;

use crate::facts::{Head, plain_peer};
use crate::functions::ApplicationFns;
use crate::routes::Routes;
use crate::service::{Gate, MaintenanceService};

/// Lets requests through or answers them, as the engine decides.
///
/// Put it around the whole application, outermost but for loggers and CORS: see the [crate's page](crate).
///
/// ```
/// use http::request::Parts;
/// use maintenance_mode::{Config, Identity, Maintenance};
/// use maintenance_mode_tower::MaintenanceLayer;
///
/// async fn who(parts: &Parts) -> Identity {
///     match parts.headers.get("cookie") {
///         Some(cookie) if cookie == "sessionid=ada's" => Identity::user("ada").role("staff"),
///         _ => Identity::anonymous(),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new().backend("memory:").allow_role("staff");
/// let maintenance = Maintenance::start(config).await?;
/// let layer = MaintenanceLayer::new(maintenance).identify(who);
/// let app: axum::Router = axum::Router::new().layer(layer);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing unless it is put around a service"]
pub struct MaintenanceLayer {
    // Routers make a service for each route, and some for each request: all share this.
    gate: Arc<Gate>,
}

/// What the author fixed.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) maintenance: Maintenance,
    pub(crate) functions: ApplicationFns,
    routes: Option<Routes>,
    route_override: Option<RouteOverride>,
    unix_socket: bool,
    pub(crate) test_mode: bool,
    pub(crate) drain: Option<Drain>,
}

impl Settings {
    /// Whether some route is closed even while every site is online.
    #[inline]
    pub(crate) fn closes_routes(&self) -> bool {
        self.route_override.is_some() || self.routes.as_ref().is_some_and(Routes::close_some)
    }

    /// What is fixed for the request's route, and whether it is for control.
    pub(crate) fn route(&self, extensions: &Extensions) -> (Option<RouteOverride>, bool) {
        let routes = self.routes.as_ref();
        let (route, control) = routes.map_or((None, false), |routes| routes.of(extensions));
        (self.route_override.or(route), control)
    }

    /// The connection's other end.
    pub(crate) fn peer(&self, extensions: &Extensions) -> Peer {
        let peer = match &self.functions.peer {
            Some(peer) => peer(extensions),
            None => plain_peer(extensions),
        };
        match peer {
            Peer::Unknown if self.unix_socket => Peer::Unix,
            peer => peer,
        }
    }

    /// The target as it came, before routers cut prefixes off.
    pub(crate) fn uri<'a>(&self, head: &Head<'a>) -> &'a Uri {
        let original = self.functions.original_uri.as_ref();
        original
            .and_then(|original| original(head.extensions))
            .unwrap_or(head.uri)
    }
}

impl MaintenanceLayer {
    /// Decides by the mode of the request's site.
    pub fn new(maintenance: Maintenance) -> Self {
        let settings = Settings {
            maintenance,
            functions: ApplicationFns::default(),
            routes: None,
            route_override: None,
            unix_socket: false,
            test_mode: false,
            drain: Some(Drain::default()),
        };
        Self {
            gate: Arc::new(Gate::new(settings)),
        }
    }

    /// A layer that was cloned is left as it was.
    fn settings(&mut self) -> &mut Settings {
        &mut Arc::make_mut(&mut self.gate).settings
    }

    /// Closes the route or router that it is put around, whatever the mode and the exemptions.
    ///
    /// The surest way to close a route: nothing that is routed there comes past it.
    pub fn force_on(maintenance: Maintenance) -> Self {
        let mut this = Self::new(maintenance);
        this.settings().route_override = Some(RouteOverride::ForceOn);
        this
    }

    /// Leaves the route or router that it is put around open, whatever the mode; its requests are counted,
    /// and handlers see the status.
    ///
    /// It cannot undo what an outer layer has closed: a request that is blocked out there never comes
    /// here. Under an application that is wrapped as a whole, give the outer layer [`Routes::force_off`].
    pub fn force_off(maintenance: Maintenance) -> Self {
        let mut this = Self::new(maintenance);
        this.settings().route_override = Some(RouteOverride::ForceOff);
        this
    }

    /// Routes that are always open or always closed, known by the router's templates.
    pub fn routes(mut self, routes: Routes) -> Self {
        self.settings().routes = Some(routes);
        self
    }

    /// How to find out who asks: an `async fn(&Parts) -> Identity`, or a closure as [`RequestFn`] says.
    ///
    /// It is called only when nothing cheaper has decided and some rule wants to know: never while the
    /// sites are online, never for exempt paths and addresses. It runs before the application, so a
    /// session layer that it needs must be put outside of this one.
    ///
    /// Without it, a visitor of whom rules want to know is blocked.
    pub fn identify(
        mut self,
        identify: impl for<'a> RequestFn<'a, Parts, Identity> + 'static,
    ) -> Self {
        self.settings().functions.visitors.set_identify(identify);
        self
    }

    /// Ends a visitor's session, where the policy's `logout` says so: an `async fn(&Parts)`, or a closure
    /// as [`RequestFn`] says.
    ///
    /// The cookies of `logout.cookies` are expired besides. This function must end the session on the
    /// server: where rules let anonymous visitors in, the request then goes on with its old `Cookie`
    /// field, and only the ended session makes its sender anonymous.
    pub fn on_logout(mut self, log_out: impl for<'a> RequestFn<'a, Parts, ()> + 'static) -> Self {
        self.settings().functions.visitors.set_log_out(log_out);
        self
    }

    /// How to find the connection's other end in a request's extensions. Never from a header: those belong
    /// into `[client_ip]`.
    ///
    /// Unless it is said, a [`Peer`] or a [`SocketAddr`](std::net::SocketAddr) there is taken.
    pub fn peer(mut self, peer: impl Fn(&Extensions) -> Peer + Send + Sync + 'static) -> Self {
        self.settings().functions.peer = Some(Arc::new(peer));
        self
    }

    /// Finds the peer's address in an extension that the server leaves: with axum,
    /// `.peer_from(|info: &ConnectInfo<SocketAddr>| info.ip())`.
    pub fn peer_from<T>(self, address: impl Fn(&T) -> IpAddr + Send + Sync + 'static) -> Self
    where
        T: Send + Sync + 'static,
    {
        self.peer(move |extensions| extensions.get::<T>().map(&address).into())
    }

    /// Says that the server listens on a unix socket: a connection without an address is somebody on this
    /// machine. Otherwise it is unknown, and no address rule admits it.
    pub fn unix_socket(mut self) -> Self {
        self.settings().unix_socket = true;
        self
    }

    /// How to find the target as it came, where the layer is put on a nested router, which sees it without
    /// its prefix: with axum, `|extensions| extensions.get::<OriginalUri>().map(|original| &original.0)`.
    pub fn original_uri<F>(mut self, uri: F) -> Self
    where
        F: for<'a> Fn(&'a Extensions) -> Option<&'a Uri> + Send + Sync + 'static,
    {
        self.settings().functions.original_uri = Some(Arc::new(uri));
        self
    }

    /// Says whether the application runs under test; counts only if the policy has `allow.tests`.
    pub fn test_mode(mut self, under_test: bool) -> Self {
        self.settings().test_mode = under_test;
        self
    }

    /// How the unread bodies of blocked HTTP/1.x requests are treated. `None`: they are never read, and
    /// the answer says `Connection: close`.
    pub fn drain(mut self, drain: Option<Drain>) -> Self {
        self.settings().drain = drain;
        self
    }
}

impl<S> Layer<S> for MaintenanceLayer {
    type Service = MaintenanceService<S>;

    fn layer(&self, inner: S) -> MaintenanceService<S> {
        self.gate.warn_of_half_log_out();
        MaintenanceService::new(inner, Arc::clone(&self.gate))
    }
}
