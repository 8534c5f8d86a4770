//! The application's functions of a request: who asks, and how his session is ended.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::identity::Identity;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An asynchronous function of a request, `R` in the framework's types.
///
/// What has this trait: an `async fn(&R) -> T`; an `async |request: &R| …` that captures nothing; and a
/// closure `move |request: &R| { …; async move { … } }` that takes what it needs out of the request and
/// clones what it captured. The type of `request` must be written out.
pub trait RequestFn<'a, R: 'static, T>: Send + Sync {
    /// What is awaited.
    type Future: Future<Output = T> + Send + 'a;

    /// Calls it.
    fn call(&self, request: &'a R) -> Self::Future;
}

impl<'a, R, T, F, O> RequestFn<'a, R, T> for F
where
    R: 'static,
    F: Fn(&'a R) -> O + Send + Sync,
    O: Future<Output = T> + Send + 'a,
{
    type Future = O;

    fn call(&self, request: &'a R) -> O {
        self(request)
    }
}

/// The same behind a pointer.
trait Ask<R, T>: Send + Sync {
    fn ask<'a>(&'a self, request: &'a R) -> BoxFuture<'a, T>;
}

impl<R, T, F> Ask<R, T> for F
where
    R: 'static,
    F: for<'a> RequestFn<'a, R, T>,
{
    fn ask<'a>(&'a self, request: &'a R) -> BoxFuture<'a, T> {
        Box::pin(self.call(request))
    }
}

/// How an application finds out who asks, and how it ends a session; as far as it said so.
pub struct VisitorFns<R> {
    identify: Option<Arc<dyn Ask<R, Identity>>>,
    log_out: Option<Arc<dyn Ask<R, ()>>>,
}

impl<R: Sync + 'static> VisitorFns<R> {
    /// Sets how to find out who asks.
    pub fn set_identify(&mut self, identify: impl for<'a> RequestFn<'a, R, Identity> + 'static) {
        self.identify = Some(Arc::new(identify));
    }

    /// Sets how to end a session.
    pub fn set_log_out(&mut self, log_out: impl for<'a> RequestFn<'a, R, ()> + 'static) {
        self.log_out = Some(Arc::new(log_out));
    }

    /// Whether it can be found out who asks.
    #[must_use]
    pub const fn can_identify(&self) -> bool {
        self.identify.is_some()
    }

    /// Whether all was said that a policy's log-out takes: who asks, and how to end his session.
    #[must_use]
    pub const fn can_log_out(&self) -> bool {
        self.identify.is_some() && self.log_out.is_some()
    }

    /// Who asks; nobody, if that cannot be found out.
    pub async fn identify(&self, request: &R) -> Identity {
        match &self.identify {
            Some(identify) => identify.ask(request).await,
            None => Identity::anonymous(),
        }
    }

    /// Ends the session of whoever asks.
    pub async fn log_out(&self, request: &R) {
        if let Some(log_out) = &self.log_out {
            log_out.ask(request).await;
        }
    }
}

impl<R> Clone for VisitorFns<R> {
    fn clone(&self) -> Self {
        Self {
            identify: self.identify.clone(),
            log_out: self.log_out.clone(),
        }
    }
}

impl<R> Default for VisitorFns<R> {
    /// None yet.
    fn default() -> Self {
        Self {
            identify: None,
            log_out: None,
        }
    }
}

impl<R> fmt::Debug for VisitorFns<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisitorFns")
            .field("identify", &self.identify.is_some())
            .field("log_out", &self.log_out.is_some())
            .finish()
    }
}
