//! What was decided, for loggers and metrics.

use std::fmt;
use std::ops::Deref;

use actix_web::HttpMessage;
use actix_web::dev::ServiceResponse;
use maintenance_mode::{Admission, Block};

/// What was decided about a request: a [`maintenance_mode::Verdict`].
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
pub struct Verdict(maintenance_mode::Verdict);

impl Verdict {
    pub(crate) fn of_block(block: &Block<'_>) -> Self {
        Self(block.into())
    }

    /// The verdict on a response's request. `None`: nothing was closed, or no middleware saw it.
    #[must_use]
    pub fn of<B>(response: &ServiceResponse<B>) -> Option<Self> {
        if let Some(verdict) = response.response().extensions().get::<Self>() {
            return Some(verdict.clone());
        }
        let extensions = response.request().extensions();
        let admission = extensions.get::<Admission>()?;
        Some(Self(admission.verdict().clone()))
    }
}

impl Deref for Verdict {
    type Target = maintenance_mode::Verdict;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
