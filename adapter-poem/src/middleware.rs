//! The middleware: what the application's author writes.

use std::fmt;
use std::sync::Arc;

use maintenance_mode::http::Drain;
use maintenance_mode::live::{RequestFn, VisitorFns};
use maintenance_mode::{Identity, Maintenance, Peer, RouteOverride};
use poem::{Endpoint, Middleware, Request};

use crate::endpoint::MaintenanceEndpoint;
use crate::facts::remote_peer;
use crate::paths::Paths;

/// Lets requests through or answers them, as the engine decides.
///
/// Put it around the whole application, outermost but for loggers and CORS: see the [crate's page](crate).
///
/// ```
/// use maintenance_mode::{Config, Identity, Maintenance};
/// use maintenance_mode_poem::MaintenanceMiddleware;
/// use poem::{EndpointExt, Request, Route};
///
/// async fn who(request: &Request) -> Identity {
///     match request.header("cookie") {
///         Some("sessionid=ada's") => Identity::user("ada").role("staff"),
///         _ => Identity::anonymous(),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new().backend("memory:").allow_role("staff");
/// let maintenance = Maintenance::start(config).await?;
/// let app = Route::new().with(MaintenanceMiddleware::new(maintenance).identify(who));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a middleware does nothing unless an endpoint is put `with` it"]
pub struct MaintenanceMiddleware {
    settings: Settings,
}

/// What the author fixed.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) maintenance: Maintenance,
    pub(crate) visitors: VisitorFns<Request>,
    pub(crate) paths: Paths,
    pub(crate) route_override: Option<RouteOverride>,
    peer: Option<PeerFn>,
    unix_socket: bool,
    pub(crate) test_mode: bool,
    pub(crate) drain: Option<Drain>,
}

#[derive(Clone)]
struct PeerFn(Arc<dyn Fn(&Request) -> Peer + Send + Sync>);

impl fmt::Debug for PeerFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerFn")
    }
}

impl Settings {
    /// The connection's other end.
    pub(crate) fn peer(&self, request: &Request) -> Peer {
        let peer = match &self.peer {
            Some(PeerFn(peer)) => peer(request),
            None => remote_peer(request),
        };
        match peer {
            Peer::Unknown if self.unix_socket => Peer::Unix,
            peer => peer,
        }
    }
}

impl MaintenanceMiddleware {
    /// Decides by the mode of the request's site.
    pub fn new(maintenance: Maintenance) -> Self {
        Self {
            settings: Settings {
                maintenance,
                visitors: VisitorFns::default(),
                paths: Paths::default(),
                route_override: None,
                peer: None,
                unix_socket: false,
                test_mode: false,
                drain: Some(Drain::default()),
            },
        }
    }

    /// Closes the endpoint that it is put around, whatever the mode and the exemptions: a handler, all
    /// methods of a route, or all that is nested.
    ///
    /// ```
    /// # use maintenance_mode::{Config, Maintenance};
    /// # use maintenance_mode_poem::MaintenanceMiddleware;
    /// # use poem::{EndpointExt, Route, endpoint::make_sync, get};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let maintenance = Maintenance::start(Config::new().backend("memory:")).await?;
    /// # let old_shop = make_sync(|_| "old");
    /// let closed = MaintenanceMiddleware::force_on(maintenance);
    /// let app = Route::new().nest("/legacy", old_shop.with(closed));
    /// # Ok(()) }
    /// ```
    pub fn force_on(maintenance: Maintenance) -> Self {
        let mut this = Self::new(maintenance);
        this.settings.route_override = Some(RouteOverride::ForceOn);
        this
    }

    /// Leaves the endpoint that it is put around open, whatever the mode; its requests are counted, and
    /// handlers see the status.
    ///
    /// It cannot undo what a gate further out has closed: a request that is blocked out there never comes
    /// here. So it stands beside the gate, as in the [crate's page](crate#routes-that-stay-open); under a
    /// gate, say [`force_off_at`](Self::force_off_at) there.
    pub fn force_off(maintenance: Maintenance) -> Self {
        let mut this = Self::new(maintenance);
        this.settings.route_override = Some(RouteOverride::ForceOff);
        this
    }

    /// Closes a single path, whatever the mode and the exemptions, before anybody is looked up. Compared as
    /// by [`force_off_at`](Self::force_off_at), which it beats.
    ///
    /// Where a middleware further in changes paths (`NormalizePath`), put [`force_on`](Self::force_on) around
    /// the route: it holds for every spelling that is routed there.
    ///
    /// # Panics
    ///
    /// If it is a pattern (with `:`, `*` or `<`) or no path.
    #[track_caller]
    pub fn force_on_at(mut self, path: impl AsRef<str>) -> Self {
        self.settings.paths.force_on(path.as_ref());
        self
    }

    /// Leaves a single path open, whatever the mode. It is the whole path, prefixes of nested routers
    /// included, and is compared as poem's router compares it: byte for byte, still encoded.
    ///
    /// # Panics
    ///
    /// If it is a pattern (with `:`, `*` or `<`) or no path: poem tells no middleware around a router
    /// which pattern will match.
    #[track_caller]
    pub fn force_off_at(mut self, path: impl AsRef<str>) -> Self {
        self.settings.paths.force_off(path.as_ref());
        self
    }

    /// Says that a single path is a control endpoint, the operator's way in: open in every mode. Compared as
    /// by [`force_off_at`](Self::force_off_at).
    ///
    /// # Panics
    ///
    /// If it is a pattern (with `:`, `*` or `<`) or no path.
    #[track_caller]
    pub fn control_at(mut self, path: impl AsRef<str>) -> Self {
        self.settings.paths.control(path.as_ref());
        self
    }

    /// How to find out who asks: an `async fn(&Request) -> Identity`, or a closure as [`RequestFn`] says.
    ///
    /// It is called only when nothing cheaper has decided and some rule wants to know: never while the
    /// sites are online, never for exempt paths and addresses. It runs before the application, so a
    /// session or cookie middleware that it needs must be put outside of this one.
    ///
    /// Without it, a visitor of whom rules want to know is blocked.
    pub fn identify(
        mut self,
        identify: impl for<'a> RequestFn<'a, Request, Identity> + 'static,
    ) -> Self {
        self.settings.visitors.set_identify(identify);
        self
    }

    /// Ends a visitor's session, where the policy's `logout` says so: an `async fn(&Request)`, or a closure
    /// as [`RequestFn`] says.
    ///
    /// The cookies of `logout.cookies` are expired besides. This function must end the session on the
    /// server: where rules let anonymous visitors in, the request then goes on with its old `Cookie`
    /// field, and only the ended session makes its sender anonymous.
    pub fn on_logout(mut self, log_out: impl for<'a> RequestFn<'a, Request, ()> + 'static) -> Self {
        self.settings.visitors.set_log_out(log_out);
        self
    }

    /// How to find the connection's other end, where poem's own `remote_addr` is not it. Never from a
    /// header, and never by poem's `RealIp`, which believes whatever a client sends: headers of proxies
    /// belong into `[client_ip]`.
    pub fn peer(mut self, peer: impl Fn(&Request) -> Peer + Send + Sync + 'static) -> Self {
        self.settings.peer = Some(PeerFn(Arc::new(peer)));
        self
    }

    /// Says that the acceptor listens on a unix socket although it does not tell: a connection without an
    /// address is then somebody on this machine. poem's own `UnixListener` tells.
    pub fn unix_socket(mut self) -> Self {
        self.settings.unix_socket = true;
        self
    }

    /// Says whether the application runs under test; counts only if the policy has `allow.tests`.
    pub fn test_mode(mut self, under_test: bool) -> Self {
        self.settings.test_mode = under_test;
        self
    }

    /// How the unread bodies of blocked HTTP/1.x requests are treated. `None`: they are never read, and
    /// the answer says `Connection: close`.
    pub fn drain(mut self, drain: Option<Drain>) -> Self {
        self.settings.drain = drain;
        self
    }
}

impl<E: Endpoint> Middleware<E> for MaintenanceMiddleware {
    type Output = MaintenanceEndpoint<E>;

    fn transform(&self, inner: E) -> MaintenanceEndpoint<E> {
        let settings = &self.settings;
        if !settings.visitors.can_log_out() && settings.maintenance.policy().logs_out() {
            tracing::warn!(
                "the policy logs visitors out, which takes `MaintenanceMiddleware::identify` and \
                 `MaintenanceMiddleware::on_logout`; without both, sessions stay alive on the server"
            );
        }
        MaintenanceEndpoint::new(inner, settings.clone())
    }
}
