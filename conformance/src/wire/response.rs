//! A response as it came.

use crate::backend_suite::{Broken, broken};

/// One response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status line; empty where there was none to see.
    pub status_line: String,
    /// The status.
    pub status: u16,
    /// Names and values, in order.
    pub fields: Vec<(String, String)>,
    /// The body, without its framing.
    pub body: Vec<u8>,
    /// Interim responses (1xx) that came before.
    pub interim: Vec<u16>,
}

impl Response {
    /// A response as a client of another kind saw it: a framework's own, or one for HTTP/2.
    pub fn new<'a>(
        status: u16,
        fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value).into_owned();
            (name.to_owned(), value)
        });
        Self {
            status_line: String::new(),
            status,
            fields: fields.collect(),
            body: body.into(),
            interim: Vec::new(),
        }
    }

    pub(super) fn parse_head(head: &[u8]) -> Result<Self, Broken> {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let status = status_line
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1)?.parse().ok())
            .ok_or_else(|| broken(format!("`{status_line}` is no status line")))?;
        let fields = lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                line.split_once(':')
                    .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                    .ok_or_else(|| broken(format!("`{line}` is no header field")))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            status_line: status_line.to_owned(),
            status,
            fields,
            body: Vec::new(),
            interim: Vec::new(),
        })
    }

    /// The first value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// All values of a field.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether a field's list has this token.
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(','))
            .any(|part| part.trim().eq_ignore_ascii_case(token))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether it is an answer of maintenance.
    #[must_use]
    pub fn is_maintenance(&self) -> bool {
        self.field("x-maintenance") == Some("1")
    }

    /// Whether it is the ordinary answer: 503, marked, not to be stored.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.status == 503
            && self.is_maintenance()
            && self.has_token("cache-control", "no-store")
            && self.field("retry-after").is_some()
    }
}
