//! Prints the built-in page, to look at it in a browser:
//!
//! ```text
//! cargo run --example render_page -- pending de "A message" 2026-11-20T22:00:00Z GET > page.html
//! ```
//!
//! Everything may be left out from the right; `-` stands for "none".

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use maintenance_mode::answer::{AnswerConfig, AnswerPolicy, AnswerSet, FormatChoice, Notice};
use maintenance_mode::policy::Complaints;
use maintenance_mode::state::Message;
use maintenance_mode::{Facts, Timestamp};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |place: usize| {
        arguments
            .get(place)
            .map(String::as_str)
            .filter(|text| *text != "-")
    };

    let mut notice = Notice::new(argument(0).unwrap_or("offline").parse()?);
    notice.message = argument(2)
        .map(|text| Message::new(text.replace("\\n", "\n")))
        .transpose()?;
    notice.ends_at = argument(3).map(str::parse).transpose()?;

    let mut complaints = Complaints::new();
    let policy = AnswerPolicy::compile(
        &AnswerConfig::default(),
        "answer",
        ".".as_ref(),
        &mut complaints,
    );
    complaints.none_or(())?;

    let headers = vec![("accept-language", argument(1).unwrap_or("en"))];
    let facts = Facts::new(argument(4).unwrap_or("GET"), "/").headers(&headers);
    let answers = AnswerSet::new(Arc::new(policy), notice);
    let answer = answers.answer(&facts, Timestamp::from_millis(0), Some(FormatChoice::Html));
    std::io::stdout().write_all(answer.body())?;
    Ok(())
}
