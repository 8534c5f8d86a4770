//! `maintenance explain --requests`: one JSON line in, one JSON line out.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use maintenance_mode::explain::{Explanation, RequestLine};
use maintenance_mode::{Snapshot, Timestamp};
use serde::Serialize;

use super::explain::explain;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// The answer to a line that is no request.
#[derive(Serialize)]
struct BadLine<'a> {
    error: &'a str,
    line: usize,
}

/// Answers each line in order; empty ones are skipped.
pub(super) fn answer_all(
    file: &Path,
    snapshot: &Arc<Snapshot>,
    at: Option<Timestamp>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let name = file.display();
    let cannot = |error: io::Error| Failure::failed(format!("{name}: {error}"));
    let mut lines: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(std::fs::File::open(file).map_err(cannot)?))
    };
    let mut exit = Exit::Done;
    let mut raw = Vec::new();
    for number in 1.. {
        raw.clear();
        if lines.read_until(b'\n', &mut raw).map_err(cannot)? == 0 || output.is_over() {
            break;
        }
        if raw.trim_ascii().is_empty() {
            continue;
        }
        match answer(raw.trim_ascii(), snapshot, at) {
            Ok(explanation) => output.json(&explanation),
            Err(error) => {
                output.error(format_args!("{name}:{number}: {error}"));
                output.json(&BadLine {
                    error: &error,
                    line: number,
                });
                exit = Exit::Failed;
            }
        }
    }
    Ok(exit)
}

fn answer(
    raw: &[u8],
    snapshot: &Arc<Snapshot>,
    at: Option<Timestamp>,
) -> Result<Explanation, String> {
    let text = std::str::from_utf8(raw).map_err(|error| format!("not UTF-8: {error}"))?;
    let in_words = |error: maintenance_mode::explain::RequestLineError| {
        // A request is one line, so that only the column says something.
        error
            .to_string()
            .replace(" at line 1 column ", " at column ")
    };
    let line: RequestLine = text.parse().map_err(in_words)?;
    let snapshot = line.snapshot(snapshot).map_err(in_words)?;
    Ok(explain(&line, &snapshot, at))
}
