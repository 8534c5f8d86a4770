//! What was decided, for loggers and metrics.

use std::fmt;

use actix_web::HttpMessage;
use actix_web::dev::ServiceResponse;
use maintenance_mode::{Block, Reason, SiteName};

use crate::status::Seen;

/// What was decided about a request.
///
/// Blocked responses carry it in their extensions. Whoever sees a whole [`ServiceResponse`], such as
/// `Logger::custom_response_replace`, asks [`Verdict::of`], which knows requests that were let through
/// while something was closed, too. It displays as the reason's code.
///
/// ```
/// use actix_web::middleware::Logger;
/// use maintenance_mode_actix::Verdict;
///
/// let logger = Logger::new("%r %s %{maintenance}xo").custom_response_replace("maintenance", |res| {
///     Verdict::of(res).map_or_else(|| "-".to_owned(), |verdict| verdict.to_string())
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Why.
    pub reason: Reason,
    /// The site whose rules blocked; `None` for a request that was let through.
    pub blocked_by: Option<SiteName>,
    /// Whether the visitor was logged out.
    pub logged_out: bool,
}

impl Verdict {
    pub(crate) fn of_block(block: &Block<'_>) -> Self {
        Self {
            reason: block.reason,
            blocked_by: Some(block.site().clone()),
            logged_out: block.logout,
        }
    }

    /// The verdict on a response's request. `None`: nothing was closed, or no middleware saw it.
    #[must_use]
    pub fn of<B>(response: &ServiceResponse<B>) -> Option<Self> {
        if let Some(verdict) = response.response().extensions().get::<Self>() {
            return Some(verdict.clone());
        }
        let extensions = response.request().extensions();
        extensions.get::<Seen>().map(|seen| Self {
            reason: seen.reason,
            blocked_by: None,
            logged_out: seen.logged_out,
        })
    }

    /// Whether the middleware answered the request itself.
    #[must_use]
    pub const fn is_blocked(&self) -> bool {
        self.blocked_by.is_some()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}
