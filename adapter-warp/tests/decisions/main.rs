//! What the filters do with a request, in process.
#![allow(clippy::unwrap_used)]

mod answers;
mod logs;
mod overrides;
mod shared;
mod status;
mod visitors;

use bytes::Bytes;
pub(crate) use maintenance_mode_conformance::in_memory::{close, closed, maintenance, open};
use maintenance_mode_warp::MaintenanceFilters;
use warp::http::Response;
use warp::test::RequestBuilder;
use warp::{Filter, Rejection, Reply, reply};

/// A small application.
pub(crate) fn routes()
-> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone + Send + Sync {
    let reached = || "handler reached";
    let front = warp::path::end().map(reached);
    let open = warp::path!("open").map(reached);
    let shut = warp::path!("shut").map(reached);
    let user = warp::path!("users" / u32).map(|_| "handler reached");
    front.or(open).or(shut).or(user)
}

/// The same with maintenance around it.
pub(crate) fn site(
    filters: &MaintenanceFilters,
) -> impl Filter<Extract = (reply::Response,), Error = Rejection> + Clone + use<> {
    filters.guard(routes())
}

pub(crate) fn request(path: &str) -> RequestBuilder {
    warp::test::request().path(path)
}

pub(crate) async fn status<F>(site: &F, path: &str) -> u16
where
    F: Filter<Extract = (reply::Response,), Error = Rejection> + 'static,
{
    request(path).reply(site).await.status().as_u16()
}

pub(crate) fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}
