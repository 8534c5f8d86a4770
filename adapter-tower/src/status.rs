//! The status of a request's site, for handlers.

use std::ops::Deref;
use std::time::SystemTime;

use http::request::Parts;
use maintenance_mode::{Admission, Maintenance, Reason, RequestStatus, Timestamp};

use crate::facts::{Head, plain_peer};

/// What the site of a request does now, and why the request was let through: a [`RequestStatus`], and with
/// the feature `axum` an extractor.
///
/// Where something is closed or planned, this is exactly what the middleware saw of the request. Otherwise
/// the handle is asked, because the middleware leaves nothing with a request of a site that is simply
/// open; so axum finds it in the state, by `FromRef`. Asking reads no backend.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::extract::FromRef;
/// use maintenance_mode::Maintenance;
/// use maintenance_mode_tower::MaintenanceStatus;
///
/// #[derive(Clone)]
/// struct App {
///     maintenance: Maintenance,
/// }
///
/// impl FromRef<App> for Maintenance {
///     fn from_ref(app: &App) -> Self {
///         app.maintenance.clone()
///     }
/// }
///
/// async fn banner(status: MaintenanceStatus) -> String {
///     match (status.is_online(), status.view().next) {
///         (true, Some((at, _))) => format!("We will be closed from {at}."),
///         (true, None) => "All is well.".to_owned(),
///         (false, _) => format!("You are in because of: {}.", status.reason()),
///     }
/// }
///
/// let routes: axum::Router<App> = axum::Router::new().route("/", axum::routing::get(banner));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MaintenanceStatus(RequestStatus);

impl MaintenanceStatus {
    /// The status for a request with this head, for stacks without extractors.
    #[must_use]
    pub fn of(parts: &Parts, maintenance: &Maintenance) -> Self {
        let head = Head::from(parts);
        Self(match parts.extensions.get::<Admission>() {
            Some(admission) => admission.status(&head.facts(&parts.uri, admission.peer())),
            None => {
                let facts = head.facts(&parts.uri, plain_peer(&parts.extensions));
                let now = Timestamp::from(SystemTime::now());
                RequestStatus::new(&maintenance.snapshot(), &facts, now, Reason::Online)
            }
        })
    }
}

impl Deref for MaintenanceStatus {
    type Target = RequestStatus;

    fn deref(&self) -> &RequestStatus {
        &self.0
    }
}

#[cfg(feature = "axum")]
impl<S> axum_core::extract::FromRequestParts<S> for MaintenanceStatus
where
    Maintenance: axum_core::extract::FromRef<S>,
    S: Send + Sync,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        use axum_core::extract::FromRef as _;
        Ok(Self::of(parts, &Maintenance::from_ref(state)))
    }
}
