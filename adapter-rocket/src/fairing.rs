//! The fairing: what the application's author writes.

use std::pin::Pin;
use std::task::{Context, Poll};

use maintenance_mode::{Identity, Maintenance, Peer};
use rocket::fairing::{Fairing, Info, Kind};
use rocket::futures::future::BoxFuture;
use rocket::http::Status;
use rocket::{Build, Request, Response, Rocket};

use crate::functions::ApplicationFns;
use crate::gate::{Gate, Settings};
use crate::passage::Passage;
use crate::reply;

/// Lets requests through or answers them, as the engine decides.
///
/// ```
/// use maintenance_mode::{Config, Identity, Maintenance};
/// use maintenance_mode_rocket::MaintenanceFairing;
/// use rocket::Request;
///
/// async fn who(request: &Request<'_>) -> Identity {
///     match request.cookies().get("sessionid") {
///         Some(session) if session.value() == "ada's" => Identity::user("ada").role("staff"),
///         _ => Identity::anonymous(),
///     }
/// }
///
/// # #[rocket::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new().backend("memory:").allow_role("staff");
/// let maintenance = Maintenance::start(config).await?;
/// let fairing = MaintenanceFairing::new(maintenance).identify(|request| Box::pin(who(request)));
/// let site = rocket::build().attach(fairing);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fairing does nothing unless it is attached"]
pub struct MaintenanceFairing {
    settings: Settings,
    logs_out: bool,
}

impl MaintenanceFairing {
    /// Decides by the mode of the request's site. Of several that are attached, Rocket keeps the last.
    pub fn new(maintenance: Maintenance) -> Self {
        Self {
            logs_out: maintenance.policy().logs_out(),
            settings: Settings {
                maintenance,
                functions: ApplicationFns::default(),
                test_mode: false,
            },
        }
    }

    /// How to find out who asks: `|request| Box::pin(who(request))`, where `who` is an
    /// `async fn(&Request<'_>) -> Identity`. Request guards of the application do for it, by
    /// [`Request::guard`].
    ///
    /// It is called only when nothing cheaper has decided and some rule wants to know: never while the
    /// sites are online, never for exempt paths and addresses. It runs after all request fairings.
    ///
    /// Without it, a visitor of whom rules want to know is blocked.
    pub fn identify<F>(mut self, identify: F) -> Self
    where
        F: for<'r> Fn(&'r Request<'_>) -> BoxFuture<'r, Identity> + Send + Sync + 'static,
    {
        self.settings.functions.set_identify(identify);
        self
    }

    /// Ends a visitor's session, where the policy's `logout` says so: `|request| Box::pin(…)`.
    ///
    /// The cookies of `logout.cookies` are expired besides. This function must end the session on the
    /// server: where rules let anonymous visitors in, the request then goes on with its old cookies, and
    /// only the ended session makes its sender anonymous.
    pub fn on_logout<F>(mut self, log_out: F) -> Self
    where
        F: for<'r> Fn(&'r Request<'_>) -> BoxFuture<'r, ()> + Send + Sync + 'static,
    {
        self.settings.functions.set_log_out(log_out);
        self
    }

    /// Another way to find the connection's other end than [`Request::remote`], which a request fairing
    /// may have set. Never a header field: those belong into `[client_ip]`.
    pub fn peer(mut self, peer: impl Fn(&Request<'_>) -> Peer + Send + Sync + 'static) -> Self {
        self.settings.functions.set_peer(peer);
        self
    }

    /// Says whether the application runs under test; counts only if the policy has `allow.tests`.
    pub const fn test_mode(mut self, under_test: bool) -> Self {
        self.settings.test_mode = under_test;
        self
    }

    fn warn_of_half_log_out(&self) {
        let functions = &self.settings.functions;
        if self.logs_out && !(functions.can_log_out() && functions.can_identify()) {
            tracing::warn!(
                "the policy logs visitors out, which takes `MaintenanceFairing::identify` and \
                 `MaintenanceFairing::on_logout`; without both, sessions stay alive on the server"
            );
        }
    }

    fn complete<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        if response.body().is_none() && is_upgraded(request, response) {
            Passage::of(request).upgrade();
        }
        if response.status() == Status::ServiceUnavailable
            && let Some(reply) = Passage::of(request).take_waiting()
        {
            reply.replace(request, response);
        }
        if self.logs_out
            && let Some(policy) = Passage::of(request).logs_out()
        {
            reply::expire_cookies(response, policy.logout_cookies());
        }
    }
}

/// Whether Rocket will hand the connection to a handler of the response; so it looks for one, too.
fn is_upgraded(request: &Request<'_>, response: &mut Response<'_>) -> bool {
    let mut asked = request
        .headers()
        .get("upgrade")
        .flat_map(|value| value.split(','));
    asked.any(|protocol| response.upgrade(protocol.trim()).is_some())
}

#[rocket::async_trait]
impl Fairing for MaintenanceFairing {
    fn info(&self) -> Info {
        Info {
            name: "Maintenance",
            kind: Kind::Ignite | Kind::Response | Kind::Singleton,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> rocket::fairing::Result {
        self.warn_of_half_log_out();
        let gate = Gate::new(self.settings.clone());
        let routes = gate.routes();
        Ok(rocket.manage(gate).mount("/", routes))
    }

    // By hand, so that nothing is boxed: the box of a type without a size is no allocation.
    fn on_response<'r, 'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        request: &'r Request<'life1>,
        response: &'life2 mut Response<'r>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'r: 'async_trait,
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        self.complete(request, response);
        Box::pin(Done)
    }
}

/// Nothing is left to do.
struct Done;

impl Future for Done {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}
