//! Against a server that speaks S3's protocol: `maintenance_mode_conformance::object_server`.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod answers;
mod follow;
mod lost;
mod process;
mod promises;
mod support;
mod unfit;
