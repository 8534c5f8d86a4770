//! Maintenance mode for [poem](https://docs.rs/poem).
mod body;
mod endpoint;
mod facts;
mod middleware;
mod paths;
mod status;

pub use endpoint::MaintenanceEndpoint;
pub use maintenance_mode::Verdict;
pub use maintenance_mode::http::Drain;
pub use maintenance_mode::live::RequestFn;
pub use middleware::MaintenanceMiddleware;
pub use status::{MaintenanceStatus, StatusError};
