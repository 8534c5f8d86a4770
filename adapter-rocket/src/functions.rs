//! The application's functions: who asks, how to log him out, where he comes from.

use std::fmt;
use std::sync::Arc;

use maintenance_mode::{Identity, Peer};
use rocket::Request;
use rocket::futures::future::BoxFuture;

/// An asynchronous function of a request.
///
/// What has this trait: an `async fn(&Request<'_>) -> T`, which finds what it needs by
/// [`Request::guard`], [`Request::cookies`] and `request.rocket().state()`; and a closure
/// `move |request: &Request<'_>| { …; async move { … } }` that takes what it needs out of the request and
/// clones what it captured. The type of `request` must be written out.
pub trait RequestFn<'a, 'b, T, Outlives = &'a &'b ()>: Send + Sync {
    /// What is awaited.
    type Future: Future<Output = T> + Send + 'a;

    /// Calls it.
    fn call(&self, request: &'a Request<'b>) -> Self::Future;
}

impl<'a, 'b, T, F, O> RequestFn<'a, 'b, T> for F
where
    F: Fn(&'a Request<'b>) -> O + Send + Sync,
    O: Future<Output = T> + Send + 'a,
{
    type Future = O;

    fn call(&self, request: &'a Request<'b>) -> O {
        self(request)
    }
}

/// The same behind a pointer.
trait Ask<T>: Send + Sync {
    fn ask<'a>(&'a self, request: &'a Request<'_>) -> BoxFuture<'a, T>;
}

impl<T, F: for<'a, 'b> RequestFn<'a, 'b, T>> Ask<T> for F {
    fn ask<'a>(&'a self, request: &'a Request<'_>) -> BoxFuture<'a, T> {
        Box::pin(self.call(request))
    }
}

type PeerFn = dyn Fn(&Request<'_>) -> Peer + Send + Sync;

/// The application's functions, as far as it gave them.
#[derive(Clone, Default)]
pub(crate) struct ApplicationFns {
    identify: Option<Arc<dyn Ask<Identity>>>,
    log_out: Option<Arc<dyn Ask<()>>>,
    peer: Option<Arc<PeerFn>>,
}

impl ApplicationFns {
    pub(crate) fn set_identify(&mut self, f: impl for<'a, 'b> RequestFn<'a, 'b, Identity> + 'static) {
        self.identify = Some(Arc::new(f));
    }

    pub(crate) fn set_log_out(&mut self, f: impl for<'a, 'b> RequestFn<'a, 'b, ()> + 'static) {
        self.log_out = Some(Arc::new(f));
    }

    pub(crate) fn set_peer(&mut self, f: impl Fn(&Request<'_>) -> Peer + Send + Sync + 'static) {
        self.peer = Some(Arc::new(f));
    }

    pub(crate) const fn can_identify(&self) -> bool {
        self.identify.is_some()
    }

    pub(crate) const fn can_log_out(&self) -> bool {
        self.log_out.is_some()
    }

    pub(crate) async fn identify(&self, request: &Request<'_>) -> Identity {
        match &self.identify {
            Some(identify) => identify.ask(request).await,
            None => Identity::anonymous(),
        }
    }

    pub(crate) async fn log_out(&self, request: &Request<'_>) {
        if let Some(log_out) = &self.log_out {
            log_out.ask(request).await;
        }
    }

    /// The connection's other end. Never `client_ip()`, which believes a field that anybody may send.
    pub(crate) fn peer(&self, request: &Request<'_>) -> Peer {
        match &self.peer {
            Some(peer) => peer(request),
            None => request.remote().map(|address| address.ip()).into(),
        }
    }
}

impl fmt::Debug for ApplicationFns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationFns")
            .field("identify", &self.identify.is_some())
            .field("log_out", &self.log_out.is_some())
            .field("peer", &self.peer.is_some())
            .finish()
    }
}
