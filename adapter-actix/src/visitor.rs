//! The application's functions: who asks, how to log him out, where he comes from.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use maintenance_mode::{Identity, Peer};

pub(crate) type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Looks up who asks.
trait Identify: Send + Sync {
    fn identify<'a>(&'a self, request: &'a ServiceRequest) -> LocalBoxFuture<'a, Identity>;
}

impl<F: AsyncFn(&ServiceRequest) -> Identity + Send + Sync> Identify for F {
    fn identify<'a>(&'a self, request: &'a ServiceRequest) -> LocalBoxFuture<'a, Identity> {
        Box::pin(self(request))
    }
}

/// Ends a visitor's session.
trait LogOut: Send + Sync {
    fn log_out<'a>(&'a self, request: &'a ServiceRequest) -> LocalBoxFuture<'a, ()>;
}

impl<F: AsyncFn(&ServiceRequest) + Send + Sync> LogOut for F {
    fn log_out<'a>(&'a self, request: &'a ServiceRequest) -> LocalBoxFuture<'a, ()> {
        Box::pin(self(request))
    }
}

type PeerFn = dyn Fn(&ServiceRequest) -> Peer + Send + Sync;

/// The application's functions, as far as it gave them.
#[derive(Clone, Default)]
pub(crate) struct ApplicationFns {
    identify: Option<Arc<dyn Identify>>,
    log_out: Option<Arc<dyn LogOut>>,
    peer: Option<Arc<PeerFn>>,
}

impl ApplicationFns {
    pub(crate) fn set_identify<F>(&mut self, identify: F)
    where
        F: AsyncFn(&ServiceRequest) -> Identity + Send + Sync + 'static,
    {
        self.identify = Some(Arc::new(identify));
    }

    pub(crate) fn set_log_out<F>(&mut self, log_out: F)
    where
        F: AsyncFn(&ServiceRequest) + Send + Sync + 'static,
    {
        self.log_out = Some(Arc::new(log_out));
    }

    pub(crate) fn set_peer(
        &mut self,
        peer: impl Fn(&ServiceRequest) -> Peer + Send + Sync + 'static,
    ) {
        self.peer = Some(Arc::new(peer));
    }

    pub(crate) const fn can_identify(&self) -> bool {
        self.identify.is_some()
    }

    pub(crate) const fn can_log_out(&self) -> bool {
        self.log_out.is_some()
    }

    pub(crate) async fn identify(&self, request: &ServiceRequest) -> Identity {
        match &self.identify {
            Some(identify) => identify.identify(request).await,
            None => Identity::anonymous(),
        }
    }

    pub(crate) async fn log_out(&self, request: &ServiceRequest) {
        if let Some(hook) = &self.log_out {
            hook.log_out(request).await;
        }
    }

    pub(crate) fn peer(&self, request: &ServiceRequest) -> Option<Peer> {
        self.peer.as_ref().map(|peer| peer(request))
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
