//! Maintenance mode for [warp](https://docs.rs/warp).

mod admissions;
mod counted;
mod filters;
mod gate;
mod handed;
mod head;
mod log;
mod peek;
mod routes;

pub use filters::MaintenanceFilters;
pub use head::Head;
pub use log::{Line, log};
pub use maintenance_mode::Verdict;
pub use maintenance_mode::http::Drain;
pub use routes::Routes;
