//! The answer as plain text, for terminals and logs.

use std::fmt::Write as _;

use super::template::utc;
use super::texts::Texts;
use super::{AnswerPolicy, Notice};

pub(super) fn render(policy: &AnswerPolicy, notice: &Notice, texts: &Texts) -> String {
    let heading = policy.words.heading(notice, texts);
    let mut text = format!("{heading}\n\n{}\n", texts.mode(notice.mode).text);
    // Writing into a string cannot fail.
    if let Some(message) = policy.words.message(notice) {
        let _ = write!(text, "\n{message}\n");
    }
    if let Some(end) = notice.ends_at.and_then(utc) {
        let _ = write!(text, "\n{}: {end}\n", texts.expected_end);
    }
    text
}
