//! The status of a request's site, for handlers.

use std::ops::Deref;
use std::time::SystemTime;

use maintenance_mode::{Admission, Maintenance, Reason, RequestStatus, Timestamp};
use poem::error::ResponseError;
use poem::http::StatusCode;
use poem::{FromRequest, Request, RequestBody};

use crate::facts::{facts_of, remote_peer, target};

/// What the site of a request does now, and why the request was let through: a [`RequestStatus`], as an
/// extractor.
///
/// Where something is closed or planned, this is exactly what the middleware saw of the request. Otherwise
/// the handle is asked, because the middleware leaves nothing with a request of a site that is simply
/// open; so the handle must be in poem's data. Asking reads no backend.
///
/// ```
/// use maintenance_mode::{Config, Maintenance};
/// use maintenance_mode_poem::{MaintenanceMiddleware, MaintenanceStatus};
/// use poem::{EndpointExt, Route, get, handler};
///
/// #[handler]
/// fn banner(status: MaintenanceStatus) -> String {
///     match (status.is_online(), status.view().next) {
///         (true, Some((at, _))) => format!("We will be closed from {at}."),
///         (true, None) => "All is well.".to_owned(),
///         (false, _) => format!("You are in because of: {}.", status.reason()),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let maintenance = Maintenance::start(Config::new().backend("memory:")).await?;
/// let app = Route::new()
///     .at("/", get(banner))
///     .data(maintenance.clone())
///     .with(MaintenanceMiddleware::new(maintenance));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MaintenanceStatus(RequestStatus);

/// There is no status for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// Nobody put the handle into poem's data.
    #[error(
        "no `Maintenance` is with this request: put the handle into the routes' data, \
         `.data(maintenance.clone())`"
    )]
    NoHandle,
}

impl ResponseError for StatusError {
    fn status(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

impl MaintenanceStatus {
    /// The status for a request, for endpoints without extractors.
    ///
    /// # Errors
    ///
    /// [`StatusError::NoHandle`]
    pub fn of(request: &Request) -> Result<Self, StatusError> {
        let target = target(request);
        if let Some(admission) = request.data::<Admission>() {
            let facts = facts_of(request, target, admission.peer());
            return Ok(Self(admission.status(&facts)));
        }
        let maintenance = request.data::<Maintenance>();
        let maintenance = maintenance.ok_or(StatusError::NoHandle)?;
        let facts = facts_of(request, target, remote_peer(request));
        let now = Timestamp::from(SystemTime::now());
        let snapshot = maintenance.snapshot();
        Ok(Self(RequestStatus::new(
            &snapshot,
            &facts,
            now,
            Reason::Online,
        )))
    }
}

impl Deref for MaintenanceStatus {
    type Target = RequestStatus;

    fn deref(&self) -> &RequestStatus {
        &self.0
    }
}

impl<'a> FromRequest<'a> for MaintenanceStatus {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self::of(request)?)
    }
}
