//! The application's functions: who asks, how to log him out, where he comes from.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;
use http::{Extensions, Uri};
use maintenance_mode::{Identity, Peer};

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An asynchronous function of a request's head.
///
/// What has this trait: an `async fn(&Parts) -> T`; an `async |parts: &Parts| …` that captures nothing; and
/// a closure `move |parts: &Parts| { …; async move { … } }` that takes what it needs out of the head and
/// clones what it captured. The type of `parts` must be written out.
pub trait PartsFn<'a, T>: Send + Sync {
    /// What is awaited.
    type Future: Future<Output = T> + Send + 'a;

    /// Calls it.
    fn call(&self, parts: &'a Parts) -> Self::Future;
}

impl<'a, T, F, O> PartsFn<'a, T> for F
where
    F: Fn(&'a Parts) -> O + Send + Sync,
    O: Future<Output = T> + Send + 'a,
{
    type Future = O;

    fn call(&self, parts: &'a Parts) -> O {
        self(parts)
    }
}

/// The same behind a pointer.
trait Ask<T>: Send + Sync {
    fn ask<'a>(&'a self, parts: &'a Parts) -> BoxFuture<'a, T>;
}

impl<T, F: for<'a> PartsFn<'a, T>> Ask<T> for F {
    fn ask<'a>(&'a self, parts: &'a Parts) -> BoxFuture<'a, T> {
        Box::pin(self.call(parts))
    }
}

type PeerFn = dyn Fn(&Extensions) -> Peer + Send + Sync;
type UriFn = dyn for<'a> Fn(&'a Extensions) -> Option<&'a Uri> + Send + Sync;

/// The application's functions, as far as it gave them.
#[derive(Clone, Default)]
pub(crate) struct ApplicationFns {
    identify: Option<Arc<dyn Ask<Identity>>>,
    log_out: Option<Arc<dyn Ask<()>>>,
    pub(crate) peer: Option<Arc<PeerFn>>,
    pub(crate) original_uri: Option<Arc<UriFn>>,
}

impl ApplicationFns {
    pub(crate) fn set_identify(&mut self, f: impl for<'a> PartsFn<'a, Identity> + 'static) {
        self.identify = Some(Arc::new(f));
    }

    pub(crate) fn set_log_out(&mut self, f: impl for<'a> PartsFn<'a, ()> + 'static) {
        self.log_out = Some(Arc::new(f));
    }

    pub(crate) const fn can_identify(&self) -> bool {
        self.identify.is_some()
    }

    pub(crate) const fn can_log_out(&self) -> bool {
        self.log_out.is_some()
    }

    pub(crate) async fn identify(&self, parts: &Parts) -> Identity {
        match &self.identify {
            Some(identify) => identify.ask(parts).await,
            None => Identity::anonymous(),
        }
    }

    pub(crate) async fn log_out(&self, parts: &Parts) {
        if let Some(log_out) = &self.log_out {
            log_out.ask(parts).await;
        }
    }
}

impl fmt::Debug for ApplicationFns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationFns")
            .field("identify", &self.identify.is_some())
            .field("log_out", &self.log_out.is_some())
            .field("peer", &self.peer.is_some())
            .field("original_uri", &self.original_uri.is_some())
            .finish()
    }
}
