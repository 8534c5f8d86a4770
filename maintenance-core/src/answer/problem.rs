//! The answer as `application/problem+json` (RFC 9457).

use serde::Serialize;

use super::template::rfc_3339;
use super::texts::Texts;
use super::{AnswerPolicy, Notice};

/// The `type` of the JSON answer: the same for every installation, so that clients can compare it.
pub const PROBLEM_TYPE: &str = "urn:maintenance-mode:problem:closed";

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    site: &'a str,
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

/// One line of JSON.
pub(super) fn render(policy: &AnswerPolicy, notice: &Notice, texts: &Texts) -> String {
    let problem = Problem {
        r#type: PROBLEM_TYPE,
        title: policy.words.title(notice, texts),
        status: policy.words.status,
        detail: policy.words.detail(notice, texts),
        site: notice.site.as_str(),
        mode: notice.mode.as_str(),
        ends_at: notice.ends_at.and_then(rfc_3339),
    };
    // Strings and numbers always have a JSON form.
    serde_json::to_string(&problem).unwrap_or_else(|_| "{}".to_owned())
}
