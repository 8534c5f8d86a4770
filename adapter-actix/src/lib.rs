//! Closes an [actix-web] site safely and opens it again.
mod answer;
mod body;
mod facts;
mod future;
mod middleware;
mod routes;
mod service;
mod status;
mod verdict;
mod visitor;

pub use body::MaintenanceBody;
pub use future::ResponseFuture;
pub use middleware::MaintenanceMw;
pub use service::MaintenanceService;
pub use status::{MaintenanceStatus, MissingMaintenance};
pub use verdict::Verdict;
