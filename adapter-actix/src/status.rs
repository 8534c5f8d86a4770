//! The status extractor.

use std::fmt;
use std::future::{Ready, ready};
use std::ops::Deref;
use std::time::SystemTime;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, ResponseError, web};
use maintenance_mode::{Admission, Maintenance, Reason, RequestStatus, Timestamp};

use crate::facts::{FactsSource, socket_peer};

/// What the site of a request does now, and why the request was let through: an extractor of a
/// [`RequestStatus`].
///
/// Where something is closed or planned, this is exactly what [`MaintenanceMw`](crate::MaintenanceMw) saw
/// of the request. Otherwise the handle in `app_data` (`Maintenance` or `web::Data<Maintenance>`) is asked,
/// because the middleware leaves nothing with a request of a site that is simply open: so give the
/// application `.app_data(maintenance.clone())`. Asking reads no backend.
///
/// ```
/// use actix_web::Responder;
/// use maintenance_mode_actix::MaintenanceStatus;
///
/// async fn banner(status: MaintenanceStatus) -> impl Responder {
///     match (status.is_online(), status.view().next) {
///         (true, Some((at, _))) => format!("We will be closed from {at}."),
///         (true, None) => "All is well.".to_owned(),
///         (false, _) => format!("You are in because of: {}.", status.reason()),
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct MaintenanceStatus(RequestStatus);

impl Deref for MaintenanceStatus {
    type Target = RequestStatus;

    fn deref(&self) -> &RequestStatus {
        &self.0
    }
}

/// There is nobody to ask for the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingMaintenance;

impl fmt::Display for MissingMaintenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "`MaintenanceStatus` found no maintenance handle: add \
             `.app_data(maintenance.clone())` to the application",
        )
    }
}

impl std::error::Error for MissingMaintenance {}

/// An error of the application's author, not of the client: 500.
impl ResponseError for MissingMaintenance {}

impl FromRequest for MaintenanceStatus {
    type Error = MissingMaintenance;
    type Future = Ready<Result<Self, MissingMaintenance>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(status(request).map(Self).ok_or(MissingMaintenance))
    }
}

fn status(request: &HttpRequest) -> Option<RequestStatus> {
    let source = FactsSource::new(request);
    if let Some(admission) = request.extensions().get::<Admission>() {
        return Some(admission.status(&source.facts(admission.peer())));
    }
    let snapshot = handle(request)?.snapshot();
    let now = Timestamp::from(SystemTime::now());
    let facts = source.facts(socket_peer(request));
    Some(RequestStatus::new(&snapshot, &facts, now, Reason::Online))
}

fn handle(request: &HttpRequest) -> Option<&Maintenance> {
    request.app_data::<Maintenance>().or_else(|| {
        request
            .app_data::<web::Data<Maintenance>>()
            .map(web::Data::get_ref)
    })
}
