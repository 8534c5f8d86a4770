//! The filters: what the application's author composes.

use std::convert::Infallible;
use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::FutureExt as _;
use maintenance_mode::http::Drain;
use maintenance_mode::{Identity, Maintenance, RequestStatus, RouteOverride};
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

use crate::gate::{BoxFuture, Gate, Passed, Settings, Unread};
use crate::handed::{hand_on, taken};
use crate::head::{Head, head};
use crate::routes::Routes;

/// Makes the filters that let requests through or answer them, as the engine decides.
///
/// ```
/// use std::sync::Arc;
///
/// use maintenance_mode::{Config, Identity, Maintenance};
/// use maintenance_mode_warp::{Head, MaintenanceFilters};
/// use warp::Filter;
///
/// async fn who(head: Arc<Head>) -> Identity {
///     match head.headers.get("cookie") {
///         Some(cookie) if cookie == "sessionid=ada's" => Identity::user("ada").role("staff"),
///         _ => Identity::anonymous(),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new().backend("memory:").allow_role("staff");
/// let maintenance = MaintenanceFilters::new(Maintenance::start(config).await?).identify(who);
///
/// let hooks = warp::path("hooks").and(maintenance.force_off(warp::path!("shop").map(|| "thanks")));
/// let legacy = warp::path("legacy").and(maintenance.force_on(warp::any().map(|| "old")));
/// let banner = warp::path!("banner").and(maintenance.status()).map(|status: maintenance_mode::RequestStatus| {
///     status.mode().to_string()
/// });
/// let routes = hooks.or(legacy).or(maintenance.guard(banner));
/// let response = warp::test::request().path("/legacy/cart").reply(&routes).await;
/// assert_eq!(response.status(), 503);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "it closes nothing unless `guard` is put around the application"]
pub struct MaintenanceFilters {
    settings: Arc<Settings>,
}

impl MaintenanceFilters {
    /// Decides by the mode of the request's site.
    pub fn new(maintenance: Maintenance) -> Self {
        Self {
            settings: Arc::new(Settings {
                maintenance,
                identify: None,
                log_out: None,
                unix_socket: false,
                test_mode: false,
                drain: Some(Drain::default()),
                peer_was_missed: AtomicBool::new(false),
                admissions: Arc::default(),
            }),
        }
    }

    /// How to find out who asks: an `async fn(Arc<Head>) -> Identity`, or a closure that returns a future.
    ///
    /// It is called only when nothing cheaper has decided and some rule wants to know: never while the
    /// sites are online, never for exempt paths and addresses.
    ///
    /// Without it, a visitor of whom rules want to know is blocked.
    pub fn identify<F, T>(mut self, identify: F) -> Self
    where
        F: Fn(Arc<Head>) -> T + Send + Sync + 'static,
        T: Future<Output = Identity> + Send + 'static,
    {
        self.settings_mut().identify = Some(Arc::new(move |head| identify(head).boxed()));
        self
    }

    /// Ends a visitor's session, where the policy's `logout` says so: an `async fn(Arc<Head>)`, or a
    /// closure that returns a future.
    ///
    /// The cookies of `logout.cookies` are expired besides. This function must end the session on the
    /// server: where rules let anonymous visitors in, the request then goes on with its old `Cookie`
    /// field, and only the ended session makes its sender anonymous.
    pub fn on_logout<F, T>(mut self, log_out: F) -> Self
    where
        F: Fn(Arc<Head>) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.settings_mut().log_out = Some(Arc::new(move |head| log_out(head).boxed()));
        self
    }

    /// Says that the server listens on a unix socket: a connection without an address is somebody on this
    /// machine. Otherwise it is unknown, and no address rule admits it.
    pub fn unix_socket(mut self) -> Self {
        self.settings_mut().unix_socket = true;
        self
    }

    /// Says whether the application runs under test; counts only if the policy has `allow.tests`.
    pub fn test_mode(mut self, under_test: bool) -> Self {
        self.settings_mut().test_mode = under_test;
        self
    }

    /// How the unread bodies of blocked HTTP/1.x requests are treated. `None`: they are never read, and
    /// the connection ends.
    pub fn drain(mut self, drain: Option<Drain>) -> Self {
        self.settings_mut().drain = drain;
        self
    }

    /// Puts maintenance around the application: every request that comes here is counted, decided about,
    /// and answered or let through.
    ///
    /// Give it all routes at once, so that unknown paths are closed, too. What the routes reject is
    /// rejected as without it; nothing is ever rejected by maintenance itself, so no `recover` can swallow
    /// an answer, and no `or` tries another route for a blocked request.
    #[must_use = "filters do nothing unless served"]
    pub fn guard<F, R, E>(
        &self,
        routes: F,
    ) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + use<F, R, E>
    where
        F: Routes<R, E>,
        R: Reply + 'static,
    {
        self.settings.warn_of_half_log_out();
        self.gate(None, false).around(routes)
    }

    /// Closes a route, whatever the mode and the exemptions.
    ///
    /// Put it *behind* the path: `warp::path("legacy").and(maintenance.force_on(legacy))`. It answers
    /// everything that comes to it before it asks the route, so around the path it would close all others,
    /// too. Best beside [`guard`](Self::guard) and before it, as [`force_off`](Self::force_off): inside, the
    /// guard has decided first, and may have looked the visitor up for nothing.
    #[must_use = "filters do nothing unless served"]
    pub fn force_on<F, R, E>(
        &self,
        route: F,
    ) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + use<F, R, E>
    where
        F: Routes<R, E>,
        R: Reply + 'static,
    {
        self.gate(Some(RouteOverride::ForceOn), false).around(route)
    }

    /// Leaves a route open, whatever the mode; its requests are counted.
    ///
    /// It must stand outside of [`guard`](Self::guard), which has answered already what would come to it
    /// inside: `maintenance.force_off(hooks).or(maintenance.guard(routes))`. Behind the path it is cheaper:
    /// while something is closed, it collects the head of each request that comes to it.
    #[must_use = "filters do nothing unless served"]
    pub fn force_off<F, R, E>(
        &self,
        route: F,
    ) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + use<F, R, E>
    where
        F: Routes<R, E>,
        R: Reply + 'static,
    {
        self.gate(Some(RouteOverride::ForceOff), false)
            .around(route)
    }

    /// Says that a route is a control endpoint, the operator's way in: open in every mode. It stands where
    /// [`force_off`](Self::force_off) does.
    #[must_use = "filters do nothing unless served"]
    pub fn control<F, R, E>(
        &self,
        route: F,
    ) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + use<F, R, E>
    where
        F: Routes<R, E>,
        R: Reply + 'static,
    {
        self.gate(None, true).around(route)
    }

    /// What the site of the request does now, and why the request is let through: for a banner. It never
    /// rejects, and reads no backend.
    ///
    /// Where something is closed or planned, it is exactly what the guard saw of the request. Otherwise the
    /// handle is asked, and the reason is [`Reason::Online`](maintenance_mode::Reason::Online).
    #[must_use = "filters do nothing unless served"]
    pub fn status(
        &self,
    ) -> impl Filter<Extract = (RequestStatus,), Error = Infallible> + Clone + Send + Sync + use<>
    {
        let gate = self.gate(None, false);
        head().map(move |head: Head| gate.status(&head))
    }

    /// One that was cloned is left as it was.
    fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }

    fn gate(&self, route_override: Option<RouteOverride>, control: bool) -> Gate {
        Gate {
            settings: Arc::clone(&self.settings),
            route_override,
            control,
        }
    }
}

impl Gate {
    /// Counts, decides, and asks `routes` unless it must not be asked.
    fn around<F, R, E>(
        self,
        routes: F,
    ) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + use<F, R, E>
    where
        F: Routes<R, E>,
        R: Reply + 'static,
    {
        self.admission()
            .and(routes.fallible())
            .map(|passed: Passed, reply: R| passed.finish(reply))
            .or_else(|rejection| ready(taken(rejection).map(|answer: Response| (answer,))))
    }

    /// Lets a request pass; an answer instead comes as a rejection that carries it.
    fn admission(
        self,
    ) -> impl Filter<Extract = (Passed,), Error = Rejection> + Clone + Send + Sync + use<> {
        let gate = self.clone();
        warp::any()
            .and_then(move || ready(gate.pass_unseen()))
            .or(self.consideration())
            .unify()
    }

    /// The same for a request that something may be closed for.
    fn consideration(
        self,
    ) -> impl Filter<Extract = (Passed,), Error = Rejection> + Clone + Send + Sync + use<> {
        let unread = warp::body::stream()
            .map(Some)
            .or(warp::any().map(|| None))
            .unify();
        head()
            // In a box: it would make the future of every request large.
            .and_then(move |head| -> BoxFuture<_> { self.clone().consider(head).boxed() })
            .and(unread)
            .and_then(|answer: Unread, body| ready(Err(hand_on(answer.settle(body)))))
            .or_else(|rejection| ready(taken(rejection).map(|passed: Passed| (passed,))))
    }
}

impl fmt::Debug for MaintenanceFilters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.settings;
        f.debug_struct("MaintenanceFilters")
            .field("maintenance", &settings.maintenance)
            .field("identify", &settings.identify.is_some())
            .field("on_logout", &settings.log_out.is_some())
            .field("unix_socket", &settings.unix_socket)
            .field("test_mode", &settings.test_mode)
            .field("drain", &settings.drain)
            .finish()
    }
}
