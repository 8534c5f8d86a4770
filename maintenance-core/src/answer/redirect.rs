//! Where visitors are sent, checked when the configuration is read.

use super::AnswerConfig;
use crate::path::{canonical_literal, cure};
use crate::policy::Complaints;

/// A checked redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redirect {
    /// The value of `Location`.
    pub(super) location: String,
    /// The path on the same site, without a query; it must be open.
    pub(super) path: Option<String>,
    /// The configured status for every method.
    status: Option<u16>,
    /// Whether JSON clients are redirected too.
    pub(super) json_too: bool,
}

impl Redirect {
    pub(super) fn compile(
        config: &AnswerConfig,
        place: &str,
        complaints: &mut Complaints,
    ) -> Option<Self> {
        let status = config.redirect_status.filter(|status| {
            let good = matches!(status, 302 | 303 | 307);
            if !good {
                complaints.add_with_hint(
                    format_args!("{place}.redirect_status"),
                    format_args!("{status} is not a temporary redirect"),
                    "write 302, 303 or 307; a permanent redirect would outlive the maintenance",
                );
            }
            good
        });
        let target = config.redirect.as_deref()?;
        match check(target) {
            Ok((location, path)) => Some(Self {
                location,
                path,
                status,
                json_too: config.redirect_json.unwrap_or(false),
            }),
            Err(fault) => {
                complaints.add_with_hint(
                    format_args!("{place}.redirect"),
                    format_args!("`{}` {}", target.escape_debug(), fault.problem),
                    fault.hint,
                );
                None
            }
        }
    }

    /// 302 for a plain look, 303 for everything that carries something: it makes every client continue
    /// with a GET (RFC 9110, section 15.4.4), while 302 lets PUT and DELETE go on to the target.
    pub(super) fn status(&self, sent: bool) -> u16 {
        self.status.unwrap_or(if sent { 303 } else { 302 })
    }
}

struct Fault {
    problem: &'static str,
    hint: &'static str,
}

const fn fault(problem: &'static str, hint: &'static str) -> Fault {
    Fault { problem, hint }
}

const FORMS: &str = "write a path on the same site, such as /closed, or a whole URL elsewhere, such as \
    https://status.example.com/";

/// The `Location` and, on the same site, the path.
fn check(target: &str) -> Result<(String, Option<String>), Fault> {
    if target.is_empty() {
        return Err(fault("is empty", FORMS));
    }
    if target.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(fault(
            "contains a space or control character",
            "write it percent-encoded",
        ));
    }
    if target.contains('\\') {
        return Err(fault(
            "contains a backslash, which browsers read as a slash",
            FORMS,
        ));
    }
    if target.starts_with("//") {
        return Err(fault("would lead to another host", FORMS));
    }
    if target.contains('#') {
        return Err(fault("has a fragment", "leave out `#` and what follows"));
    }
    let (before_query, query) = match target.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (target, None),
    };
    if query.is_some_and(|query| !query.bytes().all(is_query_byte)) {
        return Err(fault(
            "has characters in its query that no URL has",
            "write them percent-encoded",
        ));
    }
    if target.starts_with('/') {
        let path = canonical_path(before_query)?;
        let location = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        return Ok((location, Some(path)));
    }
    absolute(before_query)?;
    Ok((target.to_owned(), None))
}

/// RFC 3986, section 3.4.
const fn is_query_byte(byte: u8) -> bool {
    is_path_byte(byte) || matches!(byte, b'?' | b'/' | b'%' | b';')
}

/// `pchar` of RFC 3986, section 3.3, without `%` and without `;`.
const fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'@'
        )
}

/// The path as every client will send it, if there is only one way to read it.
fn canonical_path(path: &str) -> Result<String, Fault> {
    if path == "/" {
        return Err(fault(
            "is the front page, which is closed too",
            "name a page that is made for this, such as /closed",
        ));
    }
    canonical_literal(path)
        .map_err(|why| fault("can be read in more than one way, or in none", cure(why)))
}

/// `http://` or `https://`, a host and perhaps a port; no user, which is how links deceive.
fn absolute(url: &str) -> Result<(), Fault> {
    let lower = url.to_ascii_lowercase();
    let Some(rest) = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"))
    else {
        return Err(fault(
            "is neither a path nor a whole http or https URL",
            FORMS,
        ));
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(fault(
            "has a user name before its host",
            "leave out everything up to `@`",
        ));
    }
    if !path
        .bytes()
        .all(|b| is_path_byte(b) || matches!(b, b'/' | b'%' | b';'))
    {
        return Err(fault(
            "has characters in its path that no URL has",
            "write them percent-encoded",
        ));
    }
    if super::cors::is_host_and_port(authority) {
        Ok(())
    } else {
        Err(fault(
            "has no usable host",
            "write the host as a name in ASCII (xn-- for others) or an address, and perhaps a port",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(target: &str) -> Result<Redirect, String> {
        let config = AnswerConfig {
            redirect: Some(target.to_owned()),
            ..AnswerConfig::default()
        };
        let mut complaints = Complaints::new();
        let redirect = Redirect::compile(&config, "answer", &mut complaints);
        match complaints.iter().next() {
            Some(complaint) => {
                assert_eq!(complaint.place(), "answer.redirect");
                assert!(complaint.hint().is_some(), "{complaint}");
                assert!(redirect.is_none());
                Err(complaint.to_string())
            }
            None => redirect.ok_or_else(|| "no redirect".to_owned()),
        }
    }

    #[test]
    fn good_targets() {
        for (target, location, path) in [
            ("/closed", "/closed", Some("/closed")),
            ("/closed/", "/closed/", Some("/closed/")),
            ("/closed?from=a/b", "/closed?from=a/b", Some("/closed")),
            (
                "/wir-sind-zu/ü",
                "/wir-sind-zu/%C3%BC",
                Some("/wir-sind-zu/%C3%BC"),
            ),
            ("/a%c3%bc", "/a%C3%BC", Some("/a%C3%BC")),
            (
                "https://status.example.com",
                "https://status.example.com",
                None,
            ),
            (
                "HTTP://status.example.com:8080/x?y=z",
                "HTTP://status.example.com:8080/x?y=z",
                None,
            ),
            (
                "https://[2001:db8::1]:8443/",
                "https://[2001:db8::1]:8443/",
                None,
            ),
        ] {
            let redirect = compiled(target);
            let found = redirect
                .as_ref()
                .map(|r| (r.location.as_str(), r.path.as_deref()));
            assert_eq!(found, Ok((location, path)), "{target}");
        }
    }

    #[test]
    fn bad_targets() {
        for target in [
            "",
            "/",
            "//evil",
            "/\\evil",
            "\\evil",
            "\\\\evil",
            "https:evil",
            "https:/evil",
            "https://",
            "http:///x",
            "javascript:alert(1)",
            "data:text/html,x",
            "closed",
            "closed/page",
            "?x",
            "/a\r\nx: y",
            "/a b",
            "/a\tb",
            "/a\u{2028}b",
            "/a//b",
            "/a/../b",
            "/a/%2e%2e/b",
            "/.",
            "/a/./b",
            "/a%2fb",
            "/a%5cb",
            "/a%00b",
            "/a%0ab",
            "/a%",
            "/a%zz",
            "/a%ff",
            "/a;b",
            "/a#b",
            "/a|b",
            "/a?b|c",
            "https://user@evil/",
            "https://evil\\@good/",
            "https://ex ample.com/",
            "https://exämple.com/",
            "https://host:port/",
            "https://[::1/",
            "ftp://host/",
            "https://host:99999/",
            "https://-/",
            "https://a..b/",
        ] {
            assert!(compiled(target).is_err(), "{target:?}");
        }
    }

    #[test]
    fn the_complaint_cannot_carry_control_characters() {
        let complaint = compiled("/a\r\nSet-Cookie: x").expect_err("must be refused");
        assert!(!complaint.contains('\r'), "{complaint:?}");
    }

    #[test]
    fn statuses() {
        let with = |redirect_status| {
            let mut complaints = Complaints::new();
            let config = AnswerConfig {
                redirect: Some("/closed".to_owned()),
                redirect_status,
                ..AnswerConfig::default()
            };
            let redirect = Redirect::compile(&config, "answer", &mut complaints);
            redirect.map(|r| (r.status(false), r.status(true), complaints.iter().count()))
        };
        assert_eq!(with(None), Some((302, 303, 0)));
        assert_eq!(with(Some(307)), Some((307, 307, 0)));
        assert_eq!(with(Some(301)), Some((302, 303, 1)));
    }
}
