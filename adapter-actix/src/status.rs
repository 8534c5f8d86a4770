//! The status extractor.

use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::SystemTime;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, ResponseError, web};
use maintenance_mode::state::Message;
use maintenance_mode::{Maintenance, Mode, Peer, Reason, SiteName, SiteView, Snapshot, Timestamp};

use crate::facts::{FactsSource, socket_peer};

/// What the site of a request does now, and why the request was let through: an extractor.
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
pub struct MaintenanceStatus {
    site: SiteName,
    view: SiteView,
    reason: Reason,
}

impl MaintenanceStatus {
    /// The site that the request's host belongs to.
    #[must_use]
    pub const fn site(&self) -> &SiteName {
        &self.site
    }

    /// The mode in effect.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.view.mode
    }

    /// Whether the mode is [`Mode::Online`].
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.view.mode == Mode::Online
    }

    /// Why the request was let through; [`Reason::Online`] where no middleware has decided.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// What visitors are told.
    #[must_use]
    pub const fn message(&self) -> Option<&Message> {
        self.view.message.as_ref()
    }

    /// When it is expected to end.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        self.view.ends_at
    }

    /// All of it, the next planned change among it.
    #[must_use]
    pub const fn view(&self) -> &SiteView {
        &self.view
    }
}

/// What the middleware saw of a request that it let through while something was closed.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) now: Timestamp,
    pub(crate) peer: Peer,
    pub(crate) reason: Reason,
    pub(crate) logged_out: bool,
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
        ready(status(request).ok_or(MissingMaintenance))
    }
}

fn status(request: &HttpRequest) -> Option<MaintenanceStatus> {
    if let Some(seen) = request.extensions().get::<Seen>() {
        let (site, view) = site_of(&seen.snapshot, request, seen.peer, seen.now);
        return Some(MaintenanceStatus {
            site,
            view,
            reason: seen.reason,
        });
    }
    let snapshot = handle(request)?.snapshot();
    let now = Timestamp::from(SystemTime::now());
    let (site, view) = site_of(&snapshot, request, socket_peer(request), now);
    Some(MaintenanceStatus {
        site,
        view,
        reason: Reason::Online,
    })
}

fn site_of(
    snapshot: &Snapshot,
    request: &HttpRequest,
    peer: Peer,
    now: Timestamp,
) -> (SiteName, SiteView) {
    let source = FactsSource::new(request);
    let (site, view) = snapshot.site_of(&source.facts(peer), now);
    (site.clone(), view)
}

fn handle(request: &HttpRequest) -> Option<&Maintenance> {
    request.app_data::<Maintenance>().or_else(|| {
        request
            .app_data::<web::Data<Maintenance>>()
            .map(web::Data::get_ref)
    })
}
