//! A value that is handed on by a rejection, from the filter that makes it to the one right behind.
//!
//! What a filter extracts goes to the very next callback alone, and only a rejection passes filters by. So
//! what must pass the application by, or the filter that takes the body, travels in one. It is taken out
//! again within the same filter of this crate: no `recover` and no `or` of the application ever sees it.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use warp::Rejection;
use warp::reject::{self, Reject};

/// The rejection that carries a value. Whoever looks into a rejection gets a shared reference only.
struct Handed<T>(Mutex<Option<T>>);

impl<T> fmt::Debug for Handed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handed").finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Reject for Handed<T> {}

/// The rejection that carries this.
pub(crate) fn hand_on<T: Send + 'static>(value: T) -> Rejection {
    reject::custom(Handed(Mutex::new(Some(value))))
}

/// What a rejection carries, or the rejection itself if it carries nothing of this kind.
pub(crate) fn taken<T: Send + 'static>(rejection: Rejection) -> Result<T, Rejection> {
    let value = rejection.find::<Handed<T>>().and_then(|handed| {
        // Nobody can panic while it is held.
        handed
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    });
    value.ok_or(rejection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_gives_back_what_it_carries_and_only_that() {
        assert!(matches!(taken::<u8>(hand_on(7_u8)), Ok(7)));
        assert!(taken::<u16>(hand_on(7_u8)).is_err());
        let of_the_application = taken::<u8>(reject::not_found());
        assert!(matches!(of_the_application, Err(rejection) if rejection.is_not_found()));
    }
}
