//! Paths: what is canonical is read in one way only.

use maintenance_mode::path::CanonicalPath;

use crate::Target;

/// Of [`maintenance_mode::path`].
pub const TARGET: Target = Target {
    name: "path",
    run,
    words: &[
        "/",
        "//",
        "/..",
        "/.",
        "%2e",
        "%2E",
        "%2f",
        "%5c",
        "%25",
        "%00",
        ";",
        "?",
        "#",
        "\\",
        "%C3%A9",
        "%EF%BC%8F",
        "%c0%af",
        "/admin",
        "/a%40b",
        "~",
        "*",
    ],
};

/// A path in one line.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(path) = CanonicalPath::parse(text) else {
        return;
    };
    assert_eq!(path.as_str(), text);
    assert!(text.starts_with('/') && !text.contains("//"));
    assert!(!text.contains([';', '?', '#', '\\']));

    let decoded = decoded(text.as_bytes());
    let Ok(decoded) = String::from_utf8(decoded) else {
        panic!("{text:?} decodes to something that is not UTF-8");
    };
    assert_eq!(
        decoded.matches('/').count(),
        text.matches('/').count(),
        "{text:?} hides a slash"
    );
    assert!(
        !decoded.contains(['\\', ';', '?', '#', '%'])
            && !decoded.contains(|c: char| c.is_ascii_control()),
        "{text:?} hides a delimiter"
    );
    assert!(
        !decoded
            .split('/')
            .any(|segment| matches!(segment, "." | "..")),
        "{text:?} has a dot segment"
    );

    let upper = path.upper_hex();
    assert!(upper.eq_ignore_ascii_case(text));
    match CanonicalPath::parse(&upper) {
        Ok(again) => assert_eq!(again.upper_hex(), upper),
        Err(why) => panic!("{text:?} is canonical and {upper:?} is not: {why}"),
    }
}

/// RFC 3986, section 2.1, the plain way.
pub(crate) fn decoded(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = bytes
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    decoded
}
