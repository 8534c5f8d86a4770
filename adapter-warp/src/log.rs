//! An access log that knows what was decided.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::{Method, StatusCode, Version};
use maintenance_mode::Verdict;
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

use crate::peek::{Seen, peek, remote};
use crate::routes::Routes;

/// One response, for [`log`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Line<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The request's whole path, without the query; empty if the target has none.
    pub path: &'a str,
    /// The request's version.
    pub version: Version,
    /// The other end of the connection.
    pub remote: Option<SocketAddr>,
    /// The response's status.
    pub status: StatusCode,
    /// What was decided. `None`: nothing was closed or planned, so nothing was decided.
    pub verdict: Option<&'a Verdict>,
    /// How long it took until the response's head was ready.
    pub elapsed: Duration,
}

/// Calls `write` with each response: what `warp::log::custom` does, which sees no more of a response than
/// its status, and cannot tell maintenance from failure.
///
/// Rejections pass unseen, so put it outside of `recover`.
///
/// ```
/// # async fn run(maintenance: maintenance_mode::Maintenance) {
/// use maintenance_mode_warp::{Line, MaintenanceFilters, log};
/// use warp::Filter;
///
/// let maintenance = MaintenanceFilters::new(maintenance);
/// let routes = maintenance.guard(warp::path!("hello").map(|| "Hello!"));
/// let routes = log(routes, |line: Line<'_>| {
///     let reason = line.verdict.map_or("-".to_owned(), ToString::to_string);
///     println!("{} {} {} {reason}", line.method, line.path, line.status.as_u16());
/// });
/// warp::serve(routes).run(([127, 0, 0, 1], 8080)).await;
/// # }
/// ```
#[must_use = "filters do nothing unless served"]
pub fn log<F, R, E, W>(
    routes: F,
    write: W,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + use<F, R, E, W>
where
    F: Routes<R, E>,
    R: Reply + 'static,
    W: Fn(Line<'_>) + Clone + Send + Sync + 'static,
{
    warp::any()
        .map(Instant::now)
        .and(warp::method())
        .and(peek())
        .and(remote())
        .and(routes.fallible())
        .map(
            move |began: Instant, method: Method, seen: Seen, remote, reply: R| {
                let response = reply.into_response();
                write(Line {
                    method: &method,
                    path: &seen.path,
                    version: seen.version,
                    remote,
                    status: response.status(),
                    verdict: response.extensions().get(),
                    elapsed: began.elapsed(),
                });
                response
            },
        )
}
