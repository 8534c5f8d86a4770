//! The application's functions: who asks, how to log him out, where he comes from.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;
use http::{Extensions, Uri};
use maintenance_mode::Peer;
use maintenance_mode::live::VisitorFns;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

type PeerFn = dyn Fn(&Extensions) -> Peer + Send + Sync;
type UriFn = dyn for<'a> Fn(&'a Extensions) -> Option<&'a Uri> + Send + Sync;

/// The application's functions, as far as it gave them.
#[derive(Clone, Default)]
pub(crate) struct ApplicationFns {
    pub(crate) visitors: VisitorFns<Parts>,
    pub(crate) peer: Option<Arc<PeerFn>>,
    pub(crate) original_uri: Option<Arc<UriFn>>,
}

impl fmt::Debug for ApplicationFns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationFns")
            .field("visitors", &self.visitors)
            .field("peer", &self.peer.is_some())
            .field("original_uri", &self.original_uri.is_some())
            .finish()
    }
}
