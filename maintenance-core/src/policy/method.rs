//! Method lists of rules, and which methods are safe.

use crate::request::{Facts, Headers};

use super::Complaints;

/// Methods that read only: GET, HEAD and OPTIONS (RFC 9110, section 9.2.1) and QUERY. TRACE is safe by
/// the letter, and nobody needs it during maintenance.
const SAFE: [&str; 4] = ["GET", "HEAD", "OPTIONS", "QUERY"];

/// Fields with which a client asks a framework to take another method than the one on the wire.
const OVERRIDE_FIELDS: [&str; 3] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

/// A list of methods, as on the wire; case counts (RFC 9110, section 9.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Methods(Vec<Box<str>>);

impl Methods {
    pub(crate) fn compile(names: &[String], place: &str, complaints: &mut Complaints) -> Self {
        for (index, name) in names.iter().enumerate() {
            let is_token = !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
            if !is_token {
                complaints.add(
                    format_args!("{place}[{index}]"),
                    format_args!("`{name}` is not a method"),
                );
            } else if name.bytes().any(|b| b.is_ascii_lowercase()) {
                complaints.add_with_hint(
                    format_args!("{place}[{index}]"),
                    format_args!("`{name}` would never match: methods are compared byte for byte"),
                    format_args!("write `{}`", name.to_ascii_uppercase()),
                );
            }
        }
        Self(names.iter().map(|name| name.as_str().into()).collect())
    }

    fn has(&self, method: &str) -> bool {
        self.0.iter().any(|m| **m == *method)
    }

    /// Whether every method that some layer may take this request for is in the list.
    pub(crate) fn admits(&self, facts: &Facts<'_>) -> bool {
        every_method(facts, |method| self.has(method))
    }

    /// Whether the request can only read, these extra methods counted among the safe ones.
    pub(crate) fn admits_as_safe(&self, facts: &Facts<'_>) -> bool {
        every_method(facts, |method| SAFE.contains(&method) || self.has(method))
    }
}

/// The method on the wire, the one that the framework made of it, and those that override fields ask for:
/// a layer further down may obey any of them.
fn every_method(facts: &Facts<'_>, good: impl Fn(&str) -> bool) -> bool {
    good(facts.method)
        && facts.effective_method.is_none_or(&good)
        && OVERRIDE_FIELDS.iter().all(|field| {
            let mut all = true;
            facts.headers.for_each(field, &mut |value| {
                all &= override_value(value).is_some_and(|method| good(&method));
            });
            all
        })
}

/// Frameworks that obey an override field ignore its case. Methods are short; anything longer is not one.
fn override_value(value: &[u8]) -> Option<ShortMethod> {
    let value = value.trim_ascii();
    let mut room = [0; 24];
    room.get_mut(..value.len())?.copy_from_slice(value);
    room.make_ascii_uppercase();
    std::str::from_utf8(&room[..value.len()]).ok()?;
    Some(ShortMethod {
        room,
        length: value.len(),
    })
}

struct ShortMethod {
    room: [u8; 24],
    length: usize,
}

impl std::ops::Deref for ShortMethod {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.room[..self.length]).unwrap_or_default()
    }
}

/// A CORS preflight asks on behalf of another request (Fetch, "CORS-preflight request").
pub(crate) fn preflighted_method<'a>(facts: &Facts<'a>) -> Option<&'a str> {
    if facts.method != "OPTIONS" {
        return None;
    }
    let headers: &'a dyn Headers = facts.headers;
    match (
        headers.single("origin"),
        headers.single("access-control-request-method"),
    ) {
        (crate::request::Single::One(_), crate::request::Single::One(method)) => {
            std::str::from_utf8(method).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_field_never_makes_safe() {
        let none = Methods::default();
        for (method, field, safe) in [
            ("GET", None, true),
            ("QUERY", None, true),
            ("get", None, false),
            ("TRACE", None, false),
            ("GET", Some("get"), true),
            ("GET", Some("DELETE"), false),
            ("GET", Some(""), false),
            ("GET", Some("a method that is much longer than any"), false),
            ("POST", Some("GET"), false),
        ] {
            let headers: Vec<(&str, &str)> =
                field.map(|v| ("X-Http-Method", v)).into_iter().collect();
            let facts = Facts::new(method, "/").headers(&headers);
            assert_eq!(none.admits_as_safe(&facts), safe, "{method} {field:?}");
        }
    }

    #[test]
    fn the_effective_method_counts_too() {
        let mut complaints = Complaints::new();
        let post = Methods::compile(&["POST".to_owned()], "methods", &mut complaints);
        assert!(complaints.is_empty());
        assert!(post.admits(&Facts::new("POST", "/").effective_method(Some("POST"))));
        assert!(!post.admits(&Facts::new("POST", "/").effective_method(Some("DELETE"))));
    }
}
