//! HTML, JSON, plain text or an event stream, by `Accept` (RFC 9110, section 12.5.1).

use super::weighted::{self, Weight};
use crate::answer::Format;
use crate::request::{Facts, Headers, Single};

/// How closely a range names a media type. The closest range with the type decides its weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    #[default]
    Unnamed,
    /// `*/*`
    Any,
    /// `text/*`
    Type,
    /// `text/html`
    Exact,
}

/// What the field says of one representation.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    closeness: Closeness,
    weight: Weight,
}

impl Wish {
    /// How much closeness counts against weight: only among equal weights.
    const STEP: u32 = 4;
    /// The least rank of what is acceptable.
    const LEAST: u32 = Self::STEP;

    /// The place in the client's favour.
    const fn rank(self) -> u32 {
        self.weight as u32 * Self::STEP + self.closeness as u32
    }

    /// Aliases of one representation are named with the same closeness; the best of them counts.
    fn hear(&mut self, closeness: Closeness, weight: Weight) {
        if closeness > self.closeness {
            *self = Self { closeness, weight };
        } else if closeness == self.closeness && weight > self.weight {
            self.weight = weight;
        }
    }
}

/// What a request's `Accept` says of the representations that there are.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::answer) struct Accept {
    present: bool,
    html: Wish,
    json: Wish,
    text: Wish,
    events: Wish,
}

/// What else a request says about who will read the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::answer) enum Hints {
    /// A person: the browser will show the answer as a page.
    Navigation,
    /// A script: `fetch`, `XMLHttpRequest`, or a client that sent JSON.
    Script,
    /// Nobody: the browser wanted an image, a style sheet, a font.
    Resource,
    /// Nothing is known.
    #[default]
    None,
}

impl Hints {
    /// Reads `Sec-Fetch-Dest` (Fetch Metadata), which pages cannot forge, else the request's content type.
    pub(in crate::answer) fn of(facts: &Facts<'_>) -> Self {
        match facts.headers.single("sec-fetch-dest") {
            Single::One(b"document" | b"iframe" | b"frame" | b"embed" | b"object") => {
                return Self::Navigation;
            }
            Single::One(b"empty") => return Self::Script,
            Single::One(_) => return Self::Resource,
            Single::Absent | Single::Many => {}
        }
        match facts.headers.single("content-type") {
            Single::One(value) if is_json(media_type(value)) => Self::Script,
            _ => Self::None,
        }
    }
}

impl Accept {
    pub(in crate::answer) fn of(headers: &dyn Headers) -> Self {
        let mut accept = Self::default();
        weighted::for_each(headers, "accept", |range, weight| {
            accept.present = true;
            accept.hear(range, weight);
        });
        accept
    }

    fn hear(&mut self, range: &[u8], weight: Weight) {
        let is = |name: &str| range.eq_ignore_ascii_case(name.as_bytes());
        // A lone `*` is no media range; old Java clients send it and mean `*/*`.
        if range == b"*/*" || range == b"*" {
            for wish in [
                &mut self.html,
                &mut self.json,
                &mut self.text,
                &mut self.events,
            ] {
                wish.hear(Closeness::Any, weight);
            }
        } else if is("text/html") {
            self.html.hear(Closeness::Exact, weight);
        } else if is("text/*") {
            for wish in [&mut self.html, &mut self.text, &mut self.events] {
                wish.hear(Closeness::Type, weight);
            }
        } else if is_json(range) {
            self.json.hear(Closeness::Exact, weight);
        } else if is("application/*") {
            self.json.hear(Closeness::Type, weight);
        } else if is("text/plain") {
            self.text.hear(Closeness::Exact, weight);
        } else if is("text/event-stream") {
            self.events.hear(Closeness::Exact, weight);
        }
    }

    /// Whether the client is an `EventSource`: it names the event stream and nothing that it likes as much.
    pub(in crate::answer) fn wants_events(&self) -> bool {
        let events = self.events;
        events.closeness == Closeness::Exact
            && events.weight > 0
            && [self.html, self.json, self.text].iter().all(|other| {
                other.weight < events.weight
                    || (other.weight == events.weight && other.closeness < Closeness::Exact)
            })
    }

    /// The representation that the client likes best.
    ///
    /// - The greatest weight wins; among equals the one that is named more closely.
    /// - Among equals after that, whoever will read the answer decides ([`Hints`]): a page for a
    ///   navigation, JSON for a script, text for a request whose answer nobody reads.
    /// - When nothing is known: a page, but plain text for a bare `*/*`, which is what `curl` and most
    ///   probes send; whoever reads that sees it in a terminal or a log. No `Accept` at all: a page.
    /// - When nothing fits, `Accept` is not kept (RFC 9110, section 12.5.1, allows it): a 406 would hide
    ///   the maintenance.
    ///
    /// `hints` is called only when it is needed.
    pub(in crate::answer) fn best(&self, hints: impl FnOnce() -> Hints) -> Format {
        use Format::{Html, Json, Text};
        let [html, json, text] = [self.html, self.json, self.text].map(Wish::rank);
        let best = html.max(json).max(text);
        let order = match (html == best, json == best, text == best) {
            _ if best < Wish::LEAST => {
                return match hints() {
                    Hints::Navigation => Html,
                    Hints::Script => Json,
                    Hints::None if !self.present => Html,
                    Hints::Resource | Hints::None => Text,
                };
            }
            (true, false, false) => return Html,
            (false, true, false) => return Json,
            (false, false, _) => return Text,
            (is_html, is_json, is_text) => match hints() {
                Hints::Script => [(is_json, Json), (is_text, Text), (is_html, Html)],
                Hints::Resource => [(is_text, Text), (is_json, Json), (is_html, Html)],
                Hints::None if best % Wish::STEP == Closeness::Any as u32 => {
                    [(is_text, Text), (is_html, Html), (is_json, Json)]
                }
                Hints::Navigation | Hints::None => {
                    [(is_html, Html), (is_json, Json), (is_text, Text)]
                }
            },
        };
        let best = order.into_iter().find(|(is_best, _)| *is_best);
        best.map_or(Html, |(_, format)| format)
    }
}

/// The type and subtype of a `Content-Type`, without parameters.
fn media_type(value: &[u8]) -> &[u8] {
    value
        .split(|b| *b == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii()
}

/// `application/json` and every type with the suffix `+json` (RFC 6839, section 3.1).
fn is_json(media_type: &[u8]) -> bool {
    let ends_with = |suffix: &[u8]| {
        media_type
            .len()
            .checked_sub(suffix.len())
            .and_then(|start| media_type.get(start..))
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    media_type.eq_ignore_ascii_case(b"application/json")
        || media_type.eq_ignore_ascii_case(b"text/json")
        || (ends_with(b"+json") && media_type.contains(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,\
        image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";

    fn best(fields: &[(&str, &str)]) -> Format {
        let fields = fields.to_vec();
        let facts = Facts::new("GET", "/").headers(&fields);
        Accept::of(facts.headers).best(|| Hints::of(&facts))
    }

    fn accept(value: &str) -> Accept {
        Accept::of(&vec![("accept", value)])
    }

    #[test]
    fn weights_decide() {
        for (value, expected) in [
            (CHROME, Format::Html),
            ("application/json", Format::Json),
            ("application/problem+json", Format::Json),
            ("application/vnd.api+json", Format::Json),
            ("APPLICATION/JSON;charset=utf-8", Format::Json),
            ("text/plain", Format::Text),
            ("text/html;q=0.5, application/json;q=0.6", Format::Json),
            ("text/html;q=0.5, text/plain;q=0.501", Format::Text),
            ("text/html, application/json;q=0.9", Format::Html),
            ("application/json, text/plain, */*", Format::Json),
            ("*/*, text/html;q=0", Format::Text),
            ("*/*;q=0.1, application/json;q=0.1", Format::Json),
            ("application/*", Format::Json),
            ("text/*", Format::Html),
            ("text/*, text/html;q=0", Format::Text),
            (
                r#"text/plain;x="a,b;q=0";q=0.3, application/json;q=0.2"#,
                Format::Text,
            ),
        ] {
            assert_eq!(best(&[("accept", value)]), expected, "{value}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        assert_eq!(
            best(&[
                ("accept", "text/html;q=0.5"),
                ("accept", "application/json")
            ]),
            Format::Json
        );
    }

    #[test]
    fn ties_go_to_whoever_reads() {
        let any = ("accept", "*/*");
        assert_eq!(best(&[any]), Format::Text);
        assert_eq!(best(&[any, ("sec-fetch-dest", "document")]), Format::Html);
        assert_eq!(best(&[any, ("sec-fetch-dest", "empty")]), Format::Json);
        assert_eq!(best(&[any, ("sec-fetch-dest", "image")]), Format::Text);
        assert_eq!(
            best(&[any, ("content-type", "application/json; charset=utf-8")]),
            Format::Json
        );
        let both = ("accept", "application/json, text/html");
        assert_eq!(best(&[both]), Format::Html);
        assert_eq!(best(&[both, ("sec-fetch-dest", "iframe")]), Format::Html);
        assert_eq!(best(&[both, ("sec-fetch-dest", "empty")]), Format::Json);
    }

    #[test]
    fn without_accept_or_with_an_impossible_one() {
        assert_eq!(best(&[]), Format::Html);
        assert_eq!(best(&[("content-type", "application/json")]), Format::Json);
        assert_eq!(best(&[("accept", "image/png")]), Format::Text);
        assert_eq!(best(&[("accept", "*/*;q=0")]), Format::Text);
        assert_eq!(
            best(&[("accept", "image/png"), ("sec-fetch-dest", "document")]),
            Format::Html
        );
    }

    #[test]
    fn an_event_source_is_known_by_asking_for_nothing_else() {
        assert!(accept("text/event-stream").wants_events());
        assert!(accept("text/event-stream, */*").wants_events());
        assert!(accept("text/event-stream, */*;q=0.1").wants_events());
        // The streamable transport of MCP: either will do, so JSON carries more.
        assert!(!accept("application/json, text/event-stream").wants_events());
        assert!(!accept("text/event-stream;q=0.5, */*").wants_events());
        assert!(!accept("text/event-stream;q=0").wants_events());
        assert!(!accept("*/*").wants_events());
    }
}
