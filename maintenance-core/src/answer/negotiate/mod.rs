//! Which representation a client wants: `Accept` and `Accept-Language`.
//!
//! Everything here reads foreign bytes: linear in what it reads, and what it reads is bounded.

mod accept;
mod language;
mod weighted;

pub(super) use accept::{Accept, Hints};
pub(super) use language::pick as pick_language;
