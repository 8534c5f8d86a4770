//! The application's functions: who asks, how to log him out, where he comes from.

use std::fmt;
use std::sync::Arc;

use maintenance_mode::{Identity, Peer};
use rocket::Request;
use rocket::futures::future::BoxFuture;

/// An asynchronous function of a request, as Rocket's ad-hoc fairings take them.
type AskFn<T> = dyn for<'r> Fn(&'r Request<'_>) -> BoxFuture<'r, T> + Send + Sync;
type PeerFn = dyn Fn(&Request<'_>) -> Peer + Send + Sync;

/// The application's functions, as far as it gave them.
#[derive(Clone, Default)]
pub(crate) struct ApplicationFns {
    identify: Option<Arc<AskFn<Identity>>>,
    log_out: Option<Arc<AskFn<()>>>,
    peer: Option<Arc<PeerFn>>,
}

impl ApplicationFns {
    pub(crate) fn set_identify<F>(&mut self, f: F)
    where
        F: for<'r> Fn(&'r Request<'_>) -> BoxFuture<'r, Identity> + Send + Sync + 'static,
    {
        self.identify = Some(Arc::new(f));
    }

    pub(crate) fn set_log_out<F>(&mut self, f: F)
    where
        F: for<'r> Fn(&'r Request<'_>) -> BoxFuture<'r, ()> + Send + Sync + 'static,
    {
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
            Some(identify) => identify(request).await,
            None => Identity::anonymous(),
        }
    }

    pub(crate) async fn log_out(&self, request: &Request<'_>) {
        if let Some(log_out) = &self.log_out {
            log_out(request).await;
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
