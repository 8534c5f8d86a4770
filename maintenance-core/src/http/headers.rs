//! The header map of the `http` crate, as the engine asks for fields.

use ::http::header::{self, GetAll, HeaderMap, HeaderName, HeaderValue};

use crate::request::{Headers, Single};

impl Headers for HeaderMap {
    fn for_each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        for value in all(self, name) {
            visit(value.as_bytes());
        }
    }

    fn single<'a>(&'a self, name: &str) -> Single<'a> {
        Single::from_values(all(self, name).iter().map(HeaderValue::as_bytes))
    }
}

/// A name in the crate's own form is found without reading it again, letter by letter.
fn all<'a>(headers: &'a HeaderMap, name: &str) -> GetAll<'a, HeaderValue> {
    match known(name) {
        Some(name) => headers.get_all(name),
        None => headers.get_all(name),
    }
}

/// The names that the engine asks for most.
fn known(name: &str) -> Option<&'static HeaderName> {
    static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
    static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    Some(match name {
        "host" => &header::HOST,
        "accept" => &header::ACCEPT,
        "accept-language" => &header::ACCEPT_LANGUAGE,
        "access-control-request-method" => &header::ACCESS_CONTROL_REQUEST_METHOD,
        "content-type" => &header::CONTENT_TYPE,
        "cookie" => &header::COOKIE,
        "origin" => &header::ORIGIN,
        "sec-fetch-dest" => &SEC_FETCH_DEST,
        "upgrade" => &header::UPGRADE,
        "x-forwarded-for" => &X_FORWARDED_FOR,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_known_or_not_and_in_order() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-for", "192.0.2.2"),
            ("accept", "*/*"),
            ("x-own", "a"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let mut seen = Vec::new();
        headers.for_each("x-forwarded-for", &mut |value| seen.push(value.to_vec()));
        assert_eq!(seen, [b"192.0.2.1", b"192.0.2.2"]);
        assert_eq!(headers.single("x-forwarded-for"), Single::Many);
        assert_eq!(headers.single("accept"), Single::One(b"*/*"));
        assert_eq!(headers.single("x-own"), Single::One(b"a"));
        assert_eq!(headers.single("x-other"), Single::Absent);
        assert_eq!(headers.single("host"), Single::Absent);
    }

    #[test]
    fn a_known_name_is_the_name_that_was_asked_for() {
        for name in ["host", "accept", "sec-fetch-dest", "upgrade", "cookie"] {
            assert_eq!(known(name).map(HeaderName::as_str), Some(name));
        }
    }
}
