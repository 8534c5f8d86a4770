//! When a path is canonical.
//!
//! An exemption opens a hole, so doubt means blocked: a path takes part in path rules only if every
//! router, proxy and file system reads it in the same way. Nothing is ever normalised *into* an
//! exemption. The rules are RFC 3986's path characters (section 3.3) less everything that has been used
//! to make two programs disagree: path parameters, dot segments, empty segments, escapes that hide a
//! delimiter, and letters that fold to a delimiter under Unicode normalisation.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Why no path rule applies to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NonCanonical {
    /// It does not begin with `/`.
    NoLeadingSlash,
    /// A byte that RFC 3986 does not allow in a path.
    Character,
    /// A `;`: path parameters are read by some servers and not by others.
    PathParameter,
    /// A `%` that is not followed by two hexadecimal digits.
    BadEscape,
    /// An escaped `/`.
    EncodedSlash,
    /// An escaped `\`.
    EncodedBackslash,
    /// An escaped `;`, `?` or `#`.
    EncodedDelimiter,
    /// An escaped `%`: somebody would decode twice.
    EncodedPercent,
    /// An escaped control byte or DEL.
    EncodedControl,
    /// Escapes that do not decode to UTF-8.
    NotUtf8,
    /// A character that Unicode normalisation or a careless reader takes for `/ \ ; ? # .`.
    LookAlike,
    /// Two slashes in a row.
    EmptySegment,
    /// A segment that is, or decodes to, `.` or `..`.
    DotSegment,
}

impl NonCanonical {
    /// The stable code, for logs and `explain`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoLeadingSlash => "noncanonical:no-leading-slash",
            Self::Character => "noncanonical:character",
            Self::PathParameter => "noncanonical:path-parameter",
            Self::BadEscape => "noncanonical:bad-escape",
            Self::EncodedSlash => "noncanonical:encoded-slash",
            Self::EncodedBackslash => "noncanonical:encoded-backslash",
            Self::EncodedDelimiter => "noncanonical:encoded-delimiter",
            Self::EncodedPercent => "noncanonical:encoded-percent",
            Self::EncodedControl => "noncanonical:encoded-control",
            Self::NotUtf8 => "noncanonical:not-utf8",
            Self::LookAlike => "noncanonical:look-alike",
            Self::EmptySegment => "noncanonical:empty-segment",
            Self::DotSegment => "noncanonical:dot-segment",
        }
    }
}

impl std::fmt::Display for NonCanonical {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// A path that everybody reads in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanonicalPath<'a> {
    text: &'a str,
    has_lower_hex: bool,
}

/// What a byte of a path is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Stands for itself.
    Plain,
    Slash,
    Percent,
    Semicolon,
    Forbidden,
}

const CLASSES: [Class; 256] = {
    let mut table = [Class::Forbidden; 256];
    let plain = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@";
    let mut i = 0;
    while i < plain.len() {
        table[plain[i] as usize] = Class::Plain;
        i += 1;
    }
    table[b'/' as usize] = Class::Slash;
    table[b'%' as usize] = Class::Percent;
    table[b';' as usize] = Class::Semicolon;
    table
};

/// Marks of bytes for the first look: nothing for what stands for itself in every segment.
const MARKS: [u8; 256] = {
    let mut marks = [NEEDS_CARE; 256];
    let mut byte = 0;
    while byte < 256 {
        if matches!(CLASSES[byte], Class::Plain) && byte != b'.' as usize {
            marks[byte] = 0;
        }
        byte += 1;
    }
    marks[b'/' as usize] = SLASH;
    marks
};
const SLASH: u8 = 1;
const NEEDS_CARE: u8 = 2;

impl<'a> CanonicalPath<'a> {
    /// Looks at every byte once.
    ///
    /// # Errors
    ///
    /// The first thing that makes the path ambiguous.
    ///
    /// ```
    /// use maintenance_mode::path::{CanonicalPath, NonCanonical};
    ///
    /// assert!(CanonicalPath::parse("/admin/a%40b.com").is_ok());
    /// assert_eq!(CanonicalPath::parse("/admin/%2e%2e/secret"), Err(NonCanonical::DotSegment));
    /// assert_eq!(CanonicalPath::parse("//admin"), Err(NonCanonical::EmptySegment));
    /// ```
    pub fn parse(text: &'a str) -> Result<Self, NonCanonical> {
        let bytes = text.as_bytes();
        if bytes.first() != Some(&b'/') {
            return Err(NonCanonical::NoLeadingSlash);
        }
        // Most paths have neither dots nor escapes, and one look without a branch for each byte shows it.
        let (mut seen, mut doubled, mut before) = (0, 0, SLASH);
        for byte in &bytes[1..] {
            let mark = MARKS[usize::from(*byte)];
            seen |= mark;
            doubled |= mark & before;
            before = mark;
        }
        if seen & !SLASH == 0 && doubled & SLASH == 0 {
            return Ok(Self {
                text,
                has_lower_hex: false,
            });
        }
        Self::parse_with_care(text)
    }

    /// Looks at each segment and each escape.
    #[inline(never)]
    fn parse_with_care(text: &'a str) -> Result<Self, NonCanonical> {
        let bytes = text.as_bytes();
        let (mut segment, mut at) = (1, 1);
        let mut has_lower_hex = false;
        while let Some(&byte) = bytes.get(at) {
            match CLASSES[usize::from(byte)] {
                Class::Plain => at += 1,
                Class::Slash => {
                    end_segment(&bytes[segment..at])?;
                    at += 1;
                    segment = at;
                }
                Class::Percent => {
                    let escape = Escape::read(bytes, at)?;
                    has_lower_hex |= escape.has_lower_hex;
                    at = escape.end;
                }
                Class::Semicolon => return Err(NonCanonical::PathParameter),
                Class::Forbidden => return Err(NonCanonical::Character),
            }
        }
        refuse_dots(&bytes[segment..])?;
        Ok(Self {
            text,
            has_lower_hex,
        })
    }

    /// The path as it came.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.text
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        self.text.len()
    }

    /// Never: a canonical path has at least its slash.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    /// The bytes as they came, if they compare as they came.
    pub(crate) const fn verbatim(self) -> Option<&'a [u8]> {
        if self.has_lower_hex {
            None
        } else {
            Some(self.text.as_bytes())
        }
    }

    /// The byte at `at`, hexadecimal digits of escapes in upper case.
    #[must_use]
    pub fn byte(self, at: usize) -> u8 {
        let bytes = self.text.as_bytes();
        let byte = bytes[at];
        // A canonical path has no escaped `%`, so each `%` begins an escape.
        let in_escape = || (at >= 1 && bytes[at - 1] == b'%') || (at >= 2 && bytes[at - 2] == b'%');
        if self.has_lower_hex && in_escape() {
            byte.to_ascii_uppercase()
        } else {
            byte
        }
    }

    /// The whole path with hexadecimal digits of escapes in upper case; borrowed where nothing changes.
    #[must_use]
    pub fn upper_hex(self) -> Cow<'a, str> {
        if self.has_lower_hex {
            Cow::Owned(
                (0..self.text.len())
                    .map(|at| char::from(self.byte(at)))
                    .collect(),
            )
        } else {
            Cow::Borrowed(self.text)
        }
    }

    /// Whether `literal`, which has upper-case hexadecimal digits, stands at `at`.
    #[must_use]
    pub(crate) fn has_at(self, at: usize, literal: &[u8]) -> bool {
        let Some(part) = self
            .text
            .as_bytes()
            .get(at..)
            .and_then(|rest| rest.get(..literal.len()))
        else {
            return false;
        };
        if self.has_lower_hex {
            literal
                .iter()
                .enumerate()
                .all(|(i, byte)| self.byte(at + i) == *byte)
        } else {
            part == literal
        }
    }
}

/// A path that an author wrote, in the form in which clients send it: non-ASCII letters as UTF-8 escapes,
/// hexadecimal digits in upper case. Refused if that is not canonical.
pub(crate) fn canonical_literal(written: &str) -> Result<String, NonCanonical> {
    let mut sent = String::with_capacity(written.len());
    for c in written.chars() {
        if c.is_ascii() {
            sent.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                sent.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    CanonicalPath::parse(&sent).map(|path| path.upper_hex().into_owned())
}

/// What a router has decoded, as URLs write it, for [`Facts::routed_path`](crate::Facts::routed_path): rules
/// are written so. Bytes that are neither `pchar` (RFC 3986, section 3.3) nor in `kept` become escapes.
///
/// ```
/// assert_eq!(maintenance_mode::path::escaped("a b/c", b""), "a%20b%2Fc");
/// assert_eq!(maintenance_mode::path::escaped("/a/b", b"/"), "/a/b");
/// ```
#[must_use]
pub fn escaped<'a>(decoded: &'a str, kept: &[u8]) -> Cow<'a, str> {
    let stays = |byte: u8| is_path_character(byte) || kept.contains(&byte);
    if decoded.bytes().all(stays) {
        return Cow::Borrowed(decoded);
    }
    let mut escaped = String::with_capacity(decoded.len() + 16);
    for byte in decoded.bytes() {
        if stays(byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    Cow::Owned(escaped)
}

/// RFC 3986, section 3.3: `pchar` less the escape.
const fn is_path_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')'
        )
        || matches!(byte, b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@')
}

/// Escapes that belong together: one for an ASCII byte, up to four for a UTF-8 character.
struct Escape {
    end: usize,
    has_lower_hex: bool,
}

impl Escape {
    fn read(bytes: &[u8], at: usize) -> Result<Self, NonCanonical> {
        let first = escaped_byte(bytes, at).ok_or(NonCanonical::BadEscape)?;
        let width = match first {
            0..=0x7F => {
                refuse_hidden(first)?;
                1
            }
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => return Err(NonCanonical::NotUtf8),
        };
        if width > 1 {
            let mut utf8 = [0; 4];
            for (i, slot) in utf8[..width].iter_mut().enumerate() {
                *slot = match bytes.get(at + 3 * i) {
                    Some(b'%') => escaped_byte(bytes, at + 3 * i).ok_or(NonCanonical::BadEscape)?,
                    _ => return Err(NonCanonical::NotUtf8),
                };
            }
            let text = std::str::from_utf8(&utf8[..width]).map_err(|_| NonCanonical::NotUtf8)?;
            if text.chars().any(is_look_alike) {
                return Err(NonCanonical::LookAlike);
            }
        }
        let end = at + 3 * width;
        let has_lower_hex = bytes[at..end].iter().any(u8::is_ascii_lowercase);
        Ok(Self { end, has_lower_hex })
    }
}

fn escaped_byte(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |i: usize| char::from(*bytes.get(i)?).to_digit(16);
    u8::try_from(digit(at + 1)? * 16 + digit(at + 2)?).ok()
}

const fn refuse_hidden(byte: u8) -> Result<(), NonCanonical> {
    match byte {
        b'/' => Err(NonCanonical::EncodedSlash),
        b'\\' => Err(NonCanonical::EncodedBackslash),
        b';' | b'?' | b'#' => Err(NonCanonical::EncodedDelimiter),
        b'%' => Err(NonCanonical::EncodedPercent),
        0..=0x1F | 0x7F => Err(NonCanonical::EncodedControl),
        _ => Ok(()),
    }
}

/// A segment with another one behind it.
#[inline]
fn end_segment(segment: &[u8]) -> Result<(), NonCanonical> {
    if segment.is_empty() {
        Err(NonCanonical::EmptySegment)
    } else {
        refuse_dots(segment)
    }
}

/// Refuses a segment that is, or decodes to, one or two dots.
#[inline]
fn refuse_dots(segment: &[u8]) -> Result<(), NonCanonical> {
    if !matches!(segment.first(), Some(b'.' | b'%')) {
        return Ok(());
    }
    decodes_to_dots(segment)
}

#[inline(never)]
fn decodes_to_dots(segment: &[u8]) -> Result<(), NonCanonical> {
    let mut rest = segment;
    let mut dots = 0;
    while dots < 3 {
        rest = match rest {
            [] if dots > 0 => return Err(NonCanonical::DotSegment),
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return Ok(()),
        };
        dots += 1;
    }
    Ok(())
}

/// What an author does about it.
pub(crate) const fn cure(why: NonCanonical) -> &'static str {
    match why {
        NonCanonical::NoLeadingSlash => "begin the path with `/`; host and query take no part",
        NonCanonical::Character => {
            "write other characters as escapes, a space as %20; `?` and `#` end a path"
        }
        NonCanonical::EmptySegment => "write single slashes",
        NonCanonical::DotSegment => "write the path without `.` and `..`",
        NonCanonical::BadEscape => "write an escape as % and two hexadecimal digits",
        _ => {
            "write the path in the form that the application's router sees, without hidden delimiters"
        }
    }
}

/// Characters that fold, or look as if they folded, to a dot or a delimiter.
const fn is_look_alike(c: char) -> bool {
    matches!(
        c,
        '\u{2024}'
            ..='\u{2026}' // leaders and ellipsis: dots
            | '\u{FE52}' | '\u{FF0E}' // small and fullwidth full stop
            | '\u{2044}' | '\u{2215}' | '\u{29F8}' | '\u{FF0F}' // slashes
            | '\u{2216}' | '\u{FE68}' | '\u{FF3C}' // backslashes
            | '\u{037E}' | '\u{FE54}' | '\u{FF1B}' // semicolons
            | '\u{FF03}' | '\u{FF1F}' | '\u{FF05}' // number sign, question mark, per cent
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(path: &str) -> &'static str {
        CanonicalPath::parse(path).map_or_else(NonCanonical::code, |_| "ok")
    }

    #[test]
    fn what_everybody_reads_alike_is_canonical() {
        for path in [
            "/",
            "/a",
            "/a/",
            "/.well-known/x",
            "/...",
            "/a.b",
            "/%C3%A9",
            "/a%20b",
            "/%2ejs",
            "/a,b!c'(d)*$&=:@",
        ] {
            assert_eq!(code(path), "ok", "{path}");
        }
    }

    #[test]
    fn each_ambiguity_has_its_code() {
        for (path, expected) in [
            ("", "no-leading-slash"),
            ("*", "no-leading-slash"),
            ("a/b", "no-leading-slash"),
            ("//", "empty-segment"),
            ("/a//", "empty-segment"),
            ("/.", "dot-segment"),
            ("/..", "dot-segment"),
            ("/%2E/x", "dot-segment"),
            ("/a/.%2e", "dot-segment"),
            ("/a;b", "path-parameter"),
            ("/a%3Bb", "encoded-delimiter"),
            ("/a%2fb", "encoded-slash"),
            ("/a%5Cb", "encoded-backslash"),
            ("/a%25b", "encoded-percent"),
            ("/a%0ab", "encoded-control"),
            ("/a%7f", "encoded-control"),
            ("/a%", "bad-escape"),
            ("/a%4", "bad-escape"),
            ("/a%+4", "bad-escape"),
            ("/a%u002e", "bad-escape"),
            ("/%C0%AF", "not-utf8"),
            ("/%C3", "not-utf8"),
            ("/%C3a", "not-utf8"),
            ("/%ED%A0%80", "not-utf8"),
            ("/%EF%BC%8F", "look-alike"),
            ("/é", "character"),
            ("/a b", "character"),
            ("/a#b", "character"),
            ("/a\\b", "character"),
        ] {
            assert_eq!(code(path), format!("noncanonical:{expected}"), "{path}");
        }
    }

    #[test]
    fn hexadecimal_digits_compare_in_upper_case() {
        let path = CanonicalPath::parse("/ab%c3%a9%2e");
        assert_eq!(
            path.map(|p| p.upper_hex().into_owned()),
            Ok("/ab%C3%A9%2E".to_owned())
        );
        assert!(path.is_ok_and(|p| p.has_at(3, b"%C3%A9") && !p.has_at(3, b"%c3%a9")));
    }
}
