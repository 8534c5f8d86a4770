//! What all adapters promise alike.

use maintenance_mode::Maintenance;
use maintenance_mode_conformance::in_process::Ask;
use maintenance_mode_conformance::in_process_suite;
use maintenance_mode_conformance::wire::Response;
use maintenance_mode_warp::MaintenanceFilters;
use warp::{Filter, Rejection, reply};

use super::{request, site};

async fn see<F>(site: &F, asked: Ask) -> Response
where
    F: Filter<Extract = (reply::Response,), Error = Rejection> + 'static,
{
    let mut request = request(asked.path).method(asked.method);
    for (name, value) in asked.fields {
        request = request.header(*name, *value);
    }
    let (head, body) = request.reply(site).await.into_parts();
    let fields = head.headers.iter();
    let fields = fields.map(|(name, value)| (name.as_str(), value.as_bytes()));
    Response::new(head.status.as_u16(), fields, body)
}

async fn behind(
    maintenance: Maintenance,
) -> impl Filter<Extract = (reply::Response,), Error = Rejection> {
    site(&MaintenanceFilters::new(maintenance))
}

in_process_suite!(
    #[tokio::test]
    behind,
    see
);
