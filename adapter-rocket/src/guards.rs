//! Request guards: the status of a request's site, and a handler that is always closed.

use std::ops::Deref;
use std::time::SystemTime;

use maintenance_mode::live::Judgement;
use maintenance_mode::{Reason, RequestStatus, RouteOverride, Timestamp};
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome};
use rocket::{Ignite, Request, Rocket, Sentinel};

use crate::facts::FactsSource;
use crate::gate::{Gate, Kind};
use crate::passage::Passage;

/// What the site of a request does now, and why the request was let through: a request guard of a
/// [`RequestStatus`].
///
/// Where something is closed or planned, this is exactly what the fairing saw of the request. Asking reads
/// no backend. An application that uses it without a [`MaintenanceFairing`] does not launch.
///
/// ```
/// use maintenance_mode_rocket::MaintenanceStatus;
///
/// #[rocket::get("/banner")]
/// fn banner(status: MaintenanceStatus) -> String {
///     match (status.is_online(), status.view().next) {
///         (true, Some((at, _))) => format!("We will be closed from {at}."),
///         (true, None) => "All is well.".to_owned(),
///         (false, _) => format!("You are in because of: {}.", status.reason()),
///     }
/// }
/// ```
///
/// [`MaintenanceFairing`]: crate::MaintenanceFairing
#[derive(Clone, Debug)]
pub struct MaintenanceStatus(RequestStatus);

impl Deref for MaintenanceStatus {
    type Target = RequestStatus;

    fn deref(&self) -> &RequestStatus {
        &self.0
    }
}

/// Why a guard of this crate did not let a request in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is nobody to ask: 500.
    #[error("no maintenance fairing: add `.attach(MaintenanceFairing::new(maintenance))`")]
    NoFairing,
    /// The handler is always closed: 503.
    #[error("this route is closed in every mode: take `ForcedOn` away to open it")]
    Closed,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for MaintenanceStatus {
    type Error = Refused;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Refused> {
        match Gate::of(request) {
            Some(gate) => Outcome::Success(Self(status(request, gate))),
            None => Outcome::Error((Status::InternalServerError, Refused::NoFairing)),
        }
    }
}

fn status(request: &Request<'_>, gate: &Gate) -> RequestStatus {
    let source = FactsSource::new(request, false);
    if let Some(admission) = Passage::of(request).admission() {
        return admission.status(&source.facts(admission.peer()));
    }
    let facts = source.facts(gate.peer(request));
    let now = Timestamp::from(SystemTime::now());
    RequestStatus::new(&gate.maintenance().snapshot(), &facts, now, Reason::Online)
}

impl Sentinel for MaintenanceStatus {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        has_no_gate(rocket)
    }
}

/// A request guard that closes its handler, whatever the mode and the exemptions: for a single handler what
/// [`force_on`](crate::force_on) is for routes.
///
/// Write it first: guards before it run for nothing. The answer is the same as everywhere; a catcher for 503
/// runs before it takes its place. A handler that takes a `Result<ForcedOn, _>` is not closed.
///
/// There is no such guard for handlers that are always open: a request of a closed site does not come so
/// far. Use [`force_off`](crate::force_off).
///
/// ```
/// use maintenance_mode_rocket::ForcedOn;
///
/// #[rocket::get("/reports")]
/// fn reports(_closed: ForcedOn) -> &'static str {
///     "nobody should read this"
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ForcedOn;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for ForcedOn {
    type Error = Refused;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Refused> {
        let Some(gate) = Gate::of(request) else {
            return Outcome::Error((Status::InternalServerError, Refused::NoFairing));
        };
        match gate.judge_fixed(request, Kind::Forced(RouteOverride::ForceOn)) {
            Judgement::Pass(_) => Outcome::Success(Self),
            Judgement::Answer { answer, .. } => {
                Passage::of(request).block(answer.verdict.clone(), Some(answer));
                Outcome::Error((Status::ServiceUnavailable, Refused::Closed))
            }
        }
    }
}

impl Sentinel for ForcedOn {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        has_no_gate(rocket)
    }
}

fn has_no_gate(rocket: &Rocket<Ignite>) -> bool {
    rocket.state::<Gate>().is_none()
}
