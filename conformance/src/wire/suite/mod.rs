//! The checks. Each starts a site of its own and says what was not kept.

pub mod answers;
pub mod bodies;
pub mod connections;
pub mod counts;
pub mod http2;
pub mod live;
pub mod switching;
pub mod targets;
pub mod visitors;

use std::time::Duration;

use super::{Response, Site, Subject};
use crate::backend_suite::Broken;

/// How long a server may keep a connection after it has answered early.
const LINGER: Duration = Duration::from_secs(8);

/// A configuration that closes the site from the start.
const OFFLINE: &str = "backend = \"memory:\"\nmode = \"offline\"\n";

fn offline(subject: &Subject, more: &str) -> Result<Site, Broken> {
    Site::start(subject.program(), &format!("{OFFLINE}{more}"))
}

/// What a response is, in few words.
fn shown(response: &Response) -> String {
    format!("{} {:?}", response.status, response.fields)
}
