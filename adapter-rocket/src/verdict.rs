//! What was decided, for loggers and metrics.

use std::fmt;
use std::ops::Deref;

use rocket::Request;

use crate::passage::Passage;

/// What was decided about a request: a [`maintenance_mode::Verdict`]. It displays as the reason's code.
///
/// Fairings that log and count responses ask for it:
///
/// ```
/// use maintenance_mode_rocket::Verdict;
/// use rocket::fairing::AdHoc;
///
/// let log = AdHoc::on_response("Access log", |request, response| {
///     Box::pin(async move {
///         let maintenance = Verdict::of(request).map_or("-".to_owned(), |verdict| verdict.to_string());
///         println!("{} {} {} {maintenance}", request.method(), request.uri(), response.status());
///     })
/// });
/// let site = rocket::build().attach(log);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict(maintenance_mode::Verdict);

impl Verdict {
    /// The verdict on a request. `None`: nothing was closed, or no gate saw it.
    #[must_use]
    pub fn of(request: &Request<'_>) -> Option<Self> {
        Passage::of(request).verdict().map(Self)
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
