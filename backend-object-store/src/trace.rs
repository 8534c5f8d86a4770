//! What became of one request, as its connection saw it.
//!
//! The store's client turns answers into errors of its own and drops what an operator would have to know:
//! the store's word for the error, its clock, whether anything was sent at all. So every request carries a
//! [`Trace`] among its extensions, in which the connection notes this. Requests for credentials carry
//! none, and are therefore never taken for the request itself.

use std::sync::{Arc, Mutex, PoisonError};

/// Notes on one request. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Arc<Mutex<Notes>>);

/// What is known of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// The request was handed to a connection.
    pub(crate) sent: bool,
    pub(crate) end: Option<End>,
}

/// How a request ended.
#[cfg_attr(
    not(feature = "_http"),
    allow(dead_code, reason = "a store of one's own notes nothing")
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// There was no connection, so nothing was sent.
    NoConnection(String),
    /// The connection was lost, or no answer came.
    Lost(String),
    /// The store answered.
    Answered(Answer),
}

/// The head of an answer, and what its body says if it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The store's word for the error: `NoSuchBucket`.
    pub(crate) code: Option<String>,
    /// Its sentence.
    pub(crate) message: Option<String>,
    /// The region in which the bucket is, where the store says so.
    pub(crate) region: Option<String>,
    /// The store's clock, as it writes it.
    pub(crate) date: Option<String>,
}

impl Trace {
    pub(crate) fn notes(&self) -> Notes {
        self.lock().clone()
    }

    #[cfg(feature = "_http")]
    pub(crate) fn sent(&self) {
        self.lock().sent = true;
    }

    #[cfg(feature = "_http")]
    pub(crate) fn ended(&self, end: End) {
        self.lock().end = Some(end);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Notes> {
        // Notes are replaced in one step each; a panic elsewhere leaves none half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the text between the tags `<name>` and `</name>`. Error documents of all three clouds are flat.
#[cfg(feature = "_http")]
pub(crate) fn element(xml: &str, name: &str) -> Option<String> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = after.split_once("</")?;
    let shown: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    Some(shown.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(all(test, feature = "_http"))]
mod tests {
    use super::element;

    #[test]
    fn elements_of_error_documents() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>\n gone</Message><Region></Region></Error>";
        assert_eq!(element(xml, "Code").as_deref(), Some("NoSuchBucket"));
        assert_eq!(element(xml, "Message").as_deref(), Some("gone"));
        assert_eq!(element(xml, "Region"), None);
        assert_eq!(element(xml, "HostId"), None);
        assert_eq!(element("<Code>cut", "Code"), None);
    }
}
