//! For stacks on the `http` crate: facts from a request's head, an answer as a response, and what becomes of
//! the body of a request that is answered early.
//!
//! The adapters for tower, poem and warp are built of these pieces; a hyper server of one's own can be, too.

#[cfg(feature = "live")]
mod drain;
mod headers;
mod request;
mod response;

#[cfg(feature = "live")]
pub use drain::{Announced, Drain, settle};
pub use request::facts;
pub use response::{expire_cookies, response};
