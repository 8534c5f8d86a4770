//! What maintenance can be put around.

use std::convert::Infallible;
use std::future::ready;

use warp::{Filter, Rejection, Reply};

/// Routes: a filter that extracts one reply, and can be cloned and sent.
///
/// Every such filter has this trait, whether it may reject (`Error = Rejection`) or cannot
/// (`Error = Infallible`, as after `recover`). `R` and `E` are found by the compiler.
pub trait Routes<R, E>: Clone + Send + Sync + 'static {
    /// The same, as a filter that may reject.
    fn fallible(
        self,
    ) -> impl Filter<Extract = (R,), Error = Rejection> + Clone + Send + Sync + 'static;
}

impl<F, R> Routes<R, Rejection> for F
where
    F: Filter<Extract = (R,), Error = Rejection> + Clone + Send + Sync + 'static,
    R: Reply + 'static,
{
    fn fallible(
        self,
    ) -> impl Filter<Extract = (R,), Error = Rejection> + Clone + Send + Sync + 'static {
        self
    }
}

impl<F, R> Routes<R, Infallible> for F
where
    F: Filter<Extract = (R,), Error = Infallible> + Clone + Send + Sync + 'static,
    R: Reply + 'static,
{
    fn fallible(
        self,
    ) -> impl Filter<Extract = (R,), Error = Rejection> + Clone + Send + Sync + 'static {
        self.and_then(|reply: R| ready(Ok::<R, Rejection>(reply)))
    }
}
