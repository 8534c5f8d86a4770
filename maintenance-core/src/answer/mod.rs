//! The answer: what a blocked visitor gets.
//!
//! An [`AnswerPolicy`] is what the application's author configured, compiled once. A [`Notice`] is what a
//! site tells its visitors now. Together they make an [`AnswerSet`], in which every answer is rendered at
//! most once; a request gets an [`Answer`] that borrows the prepared parts.
//!
//! ```
//! use std::sync::Arc;
//!
//! use maintenance_mode::answer::{AnswerConfig, AnswerPolicy, AnswerSet, Format, Notice};
//! use maintenance_mode::policy::Complaints;
//! use maintenance_mode::{Facts, Mode, Timestamp};
//!
//! let mut complaints = Complaints::new();
//! let config = AnswerConfig { retry_after: Some("off".into()), ..AnswerConfig::default() };
//! let policy = AnswerPolicy::compile(&config, "answer", ".".as_ref(), &mut complaints);
//! assert!(complaints.is_empty());
//!
//! let answers = AnswerSet::new(Arc::new(policy), Notice::new(Mode::Offline));
//! let headers = vec![("accept", "application/json")];
//! let facts = Facts::new("GET", "/api/items").headers(&headers);
//! let answer = answers.answer(&facts, Timestamp::from_millis(0), None);
//! assert_eq!((answer.status(), answer.format()), (503, Format::Json));
//! ```
//!
//! # What every answer carries
//!
//! | field | value |
//! |---|---|
//! | [`MARKER`] | `1`; clients may rely on it to tell maintenance from a fault |
//! | `Cache-Control`, `CDN-Cache-Control` | `no-store`, redirects included (RFC 9111, RFC 9213) |
//! | `Retry-After` | seconds or a date, unless switched off (RFC 9110, section 10.2.3) |
//! | `Vary` | what was negotiated by |
//!
//! There is never a validator (`ETag`, `Last-Modified`), so conditional and range requests get the plain
//! answer. `X-Robots-Tag` is not sent: a 503 already tells crawlers to come back, and `noindex` would take
//! the pages out of the index.
//!
//! # Which answer
//!
//! The first that fits:
//!
//! 1. A CORS preflight of an allowed origin: 204, so that the page can see the 503 that follows.
//! 2. The application's function ([`AnswerPolicy::with_custom`]).
//! 3. gRPC by the request's content type, an event stream for an `EventSource`: their clients understand
//!    nothing else.
//! 4. The format of a path rule, then the configured one, then the client's `Accept`.

mod base64;
mod compose;
mod config;
mod cors;
mod custom;
mod event_stream;
mod expired_cookie;
mod format;
mod grpc;
mod negotiate;
mod notice;
mod plain;
mod policy;
mod prepared;
mod problem;
mod redirect;
mod response;
mod retry_after;
mod set;
mod template;
mod texts;

pub use config::{AnswerConfig, CorsSetting, RetryAfterSetting};
pub use custom::{CustomAnswer, CustomAnswerError, FullAnswer};
pub use expired_cookie::expired_cookie;
pub use format::{Format, FormatChoice};
pub use minijinja::{Value, context};
pub use notice::Notice;
pub use policy::{AnswerPolicy, ContextFn, CustomFn};
pub use prepared::{Field, Prepared};
pub use problem::PROBLEM_TYPE;
pub use response::Answer;
pub use retry_after::RetryAfter;
pub use set::AnswerSet;

/// The name of the field that marks every answer of this project, in lower case. Clients may rely on it.
pub const MARKER: &str = "x-maintenance";

/// The value of [`MARKER`].
pub const MARKER_VALUE: &str = "1";
