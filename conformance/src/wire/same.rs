//! What of a response is the adapter's, so that answers can be compared byte by byte.

use super::{Framework, Response};

/// What the server adds by itself: the moment, and whether the connection goes on.
const OF_THE_SERVER: [&str; 2] = ["connection", "date"];

/// Seconds of `Retry-After` while nobody knows the end: they are spread by the moment and the peer.
const SPREAD_SECONDS: std::ops::RangeInclusive<u32> = 120..=132;

/// Milliseconds after which an `EventSource` comes back, spread likewise.
const SPREAD_MILLISECONDS: std::ops::RangeInclusive<u32> = 10_000..=18_750;

/// A response without what the server adds, without the order of fields, and with ranges in place of the
/// numbers that are spread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Same {
    /// The status.
    pub status: u16,
    /// Names and values, sorted.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Same {
    /// Of these parts; `added` names the fields that the framework adds later.
    pub fn new(
        status: u16,
        fields: impl IntoIterator<Item = (String, String)>,
        body: &[u8],
        added: &[&str],
    ) -> Self {
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value));
        Self::of_fields(status, fields, body, added)
    }

    /// Of a response that came, stricter: with the names as they were written, and with the status line.
    #[must_use]
    pub fn as_written(response: &Response, added: &[&str]) -> Self {
        let line = ("the status line".to_owned(), response.status_line.clone());
        let fields = response.fields.iter().cloned().chain([line]);
        Self::of_fields(response.status, fields, &response.body, added)
    }

    fn of_fields(
        status: u16,
        fields: impl Iterator<Item = (String, String)>,
        body: &[u8],
        added: &[&str],
    ) -> Self {
        let is_of_others = |name: &str| {
            let mut others = OF_THE_SERVER.iter().chain(added);
            others.any(|other| name.eq_ignore_ascii_case(other))
        };
        let mut fields: Vec<_> = fields
            .filter(|(name, _)| !is_of_others(name))
            .map(|(name, value)| {
                if name.eq_ignore_ascii_case("retry-after") {
                    (name, spread(&value, &SPREAD_SECONDS))
                } else {
                    (name, value)
                }
            })
            .collect();
        fields.sort();
        Self {
            status,
            fields,
            body: without_spread(body),
        }
    }

    /// Of a response that came; `added` names the fields that the framework adds later.
    #[must_use]
    pub fn of(response: &Response, added: &[&str]) -> Self {
        Self::new(
            response.status,
            response.fields.iter().cloned(),
            &response.body,
            added,
        )
    }

    /// Without what the framework leaves out of its answer to this method.
    #[must_use]
    pub fn left_by(mut self, framework: &Framework, method: &str) -> Self {
        if method == "HEAD" && !framework.says_zero_to_head {
            self.fields.retain(|(name, value)| {
                !(name.eq_ignore_ascii_case("content-length") && value == "0")
            });
        }
        self
    }

    /// How this differs from another, in words; `None`: in nothing.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self.status != other.status {
            return Some(format!("status {} and {}", self.status, other.status));
        }
        let only = |here: &Self, there: &Self| -> Vec<_> {
            let fields = here.fields.iter();
            fields
                .filter(|field| !there.fields.contains(field))
                .cloned()
                .collect()
        };
        if self.fields != other.fields {
            return Some(format!(
                "fields {:?} and {:?}",
                only(self, other),
                only(other, self)
            ));
        }
        (self.body != other.body).then(|| {
            let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
            format!("bodies:\n{}\nand:\n{}", text(&self.body), text(&other.body))
        })
    }
}

/// A number in a range becomes the range.
fn spread(number: &str, range: &std::ops::RangeInclusive<u32>) -> String {
    match number.parse() {
        Ok(seconds) if range.contains(&seconds) => format!("{} to {}", range.start(), range.end()),
        _ => number.to_owned(),
    }
}

/// An event stream begins with the time that is spread.
fn without_spread(body: &[u8]) -> Vec<u8> {
    let split = body
        .strip_prefix(b"retry: ")
        .and_then(|rest| Some(rest.split_at(rest.iter().position(|byte| *byte == b'\n')?)));
    match split {
        Some((number, rest)) => {
            let number = spread(&String::from_utf8_lossy(number), &SPREAD_MILLISECONDS);
            [b"retry: ", number.as_bytes(), rest].concat()
        }
        None => body.to_vec(),
    }
}
