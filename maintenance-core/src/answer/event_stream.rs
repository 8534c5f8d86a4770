//! The answer to an `EventSource`: a stream with one event, after which it comes back.
//!
//! Any status but 200 makes a browser give up for good (HTML standard, section 9.2.3, "fail the
//! connection"). After this answer has ended it waits for `retry` milliseconds and connects again.

/// How many different times to wait there are: clients that were cut off together come back apart.
pub(super) const STEPS: usize = 8;

/// `problem` must be one line.
pub(super) fn render(problem: &str, step: usize) -> String {
    let retry = 10_000 + 1_250 * step.min(STEPS - 1);
    format!("retry: {retry}\nevent: maintenance\ndata: {problem}\n\n")
}
