//! The grammar of `Forwarded` (RFC 7239, section 4).
//!
//! ```text
//! Forwarded         = 1#forwarded-element
//! forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
//! forwarded-pair    = token "=" value
//! value             = token / quoted-string
//! ```
//!
//! A line that breaks it anywhere is refused as a whole: with an open quote in the client's part, no
//! reader can say where the client's part ends. Blanks are allowed around commas and nowhere else.

use super::answer::Unresolved;
use super::element::{self, Element};
use super::list::Add;
use super::source::is_token_byte;

/// Parameters read in one element. Four are registered; they are compared with each other.
const MAX_PARAMETERS: usize = 16;

/// Gives each element of one line to `add`, with what its `for` says.
pub(super) fn elements(line: &[u8], add: &mut Add<'_>) -> Result<(), Unresolved> {
    // The grammar lets any byte above 0x7f into a quoted string; no proxy has use for broken text.
    if str::from_utf8(line).is_err() {
        return Err(Unresolved::BadSyntax);
    }
    let mut cursor = Cursor { rest: line };
    loop {
        cursor.skip_blanks();
        let before = cursor.rest;
        if !matches!(before.first(), None | Some(b',')) {
            let element = cursor.element()?;
            add(&before[..before.len() - cursor.rest.len()], element)?;
            cursor.skip_blanks();
        }
        match cursor.next() {
            None => return Ok(()),
            Some(b',') => {}
            Some(_) => return Err(Unresolved::BadSyntax),
        }
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn skip_blanks(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// One element, up to the blank or comma behind it; what it says, or the fault of the whole line.
    fn element(&mut self) -> Result<Element, Unresolved> {
        let mut names: [&[u8]; MAX_PARAMETERS] = [&[]; MAX_PARAMETERS];
        let mut count = 0;
        let mut node = Err(Unresolved::MissingFor);
        loop {
            if !matches!(self.rest.first(), None | Some(b';' | b',' | b' ' | b'\t')) {
                let (name, value) = self.pair()?;
                if names[..count]
                    .iter()
                    .any(|other| other.eq_ignore_ascii_case(name))
                {
                    return Err(Unresolved::RepeatedParameter);
                }
                *names.get_mut(count).ok_or(Unresolved::TooManyParameters)? = name;
                count += 1;
                if name.eq_ignore_ascii_case(b"for") {
                    node = element::forwarded_node(value);
                }
            }
            if !self.take(b';') {
                return Ok(node);
            }
        }
    }

    fn pair(&mut self) -> Result<(&'a [u8], &'a [u8]), Unresolved> {
        let name = self.token()?;
        if !self.take(b'=') {
            return Err(Unresolved::BadSyntax);
        }
        let value = if self.take(b'"') {
            self.rest_of_quoted_string()?
        } else {
            self.token()?
        };
        Ok((name, value))
    }

    fn token(&mut self) -> Result<&'a [u8], Unresolved> {
        let len = self
            .rest
            .iter()
            .take_while(|byte| is_token_byte(**byte))
            .count();
        let (token, rest) = self.rest.split_at(len);
        self.rest = rest;
        if token.is_empty() {
            Err(Unresolved::BadSyntax)
        } else {
            Ok(token)
        }
    }

    /// The inside of a quoted string of RFC 9110, section 5.6.4, after its first quote.
    ///
    /// Escapes stay as they are: no address needs one, and a backslash makes none of what is read as
    /// an address, so `198.51.100\.7` is refused.
    fn rest_of_quoted_string(&mut self) -> Result<&'a [u8], Unresolved> {
        let start = self.rest;
        loop {
            match self.next() {
                Some(b'"') => return Ok(&start[..start.len() - self.rest.len() - 1]),
                Some(b'\\') if self.next().is_some_and(is_text) => {}
                Some(byte) if byte != b'\\' && is_text(byte) => {}
                _ => return Err(Unresolved::BadSyntax),
            }
        }
    }
}

/// What may stand in a quoted string, as it is or escaped: blanks and everything visible.
const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Element, Unresolved, elements};

    fn read(line: &[u8]) -> Result<Vec<(String, Element)>, Unresolved> {
        let mut found = Vec::new();
        elements(line, &mut |raw, element| {
            found.push((String::from_utf8_lossy(raw).into_owned(), element));
            Ok(())
        })?;
        Ok(found)
    }

    /// What the elements of a line that keeps the grammar say.
    fn nodes(line: &str) -> Vec<Element> {
        let found = read(line.as_bytes()).unwrap();
        found.into_iter().map(|(_, element)| element).collect()
    }

    fn known(text: &str) -> Element {
        Ok(text.parse().unwrap())
    }

    #[test]
    fn lines_that_keep_the_grammar() {
        let client = known("192.0.2.7");
        for line in [
            "for=192.0.2.7",
            "FOR=192.0.2.7",
            "For=\"192.0.2.7\"",
            "for=\"192.0.2.7:80\"",
            "for=\"192.0.2.7:_x\"",
            "proto=https;for=192.0.2.7;by=203.0.113.43",
            ";for=192.0.2.7",
            "for=192.0.2.7;",
            ";;for=192.0.2.7;;proto=http;;",
            " \tfor=192.0.2.7\t ",
            ",, ,for=192.0.2.7 , ,",
            "for=192.0.2.7;by=\"_x, for=203.0.113.9;\"",
            "for=192.0.2.7;ext=\"a\\\"b\\\\c\"",
            "for=192.0.2.7;host=\"bücher.example\"",
            "for=192.0.2.7;ext=\"\"",
            "for=192.0.2.7;!#$%&'*+-.^_`|~=x",
        ] {
            assert_eq!(nodes(line), [client], "{line}");
        }
        assert!(nodes("").is_empty());
        assert!(nodes(" , ,\t").is_empty());
    }

    #[test]
    fn each_element_speaks_for_itself() {
        assert_eq!(
            nodes("for=192.0.2.43, for=\"[2001:db8:cafe::17]:4711\",for=unknown ,by=_x,for=_y,;"),
            [
                known("192.0.2.43"),
                known("2001:db8:cafe::17"),
                Err(Unresolved::Unknown),
                Err(Unresolved::MissingFor),
                Err(Unresolved::Obfuscated),
                Err(Unresolved::MissingFor),
            ]
        );
        assert_eq!(
            nodes("for=\"192.0.2\\.7\", for=\"\", for=\" 192.0.2.7\", for=\"2001:db8::7\", for=x"),
            [Err(Unresolved::NotAnAddress); 5]
        );
    }

    #[test]
    fn escapes_in_an_address_are_refused() {
        for line in [
            r#"for="\192.0.2.7""#,
            r#"for="192.0.2\.7""#,
            r#"for="[2001:db8::\7]""#,
            r#"for="192.0.2.7:\80""#,
            r#"for="192.0.2.7:_\x""#,
            r#"for="unkno\wn""#,
            r#"for="_x\y""#,
        ] {
            assert_eq!(nodes(line), [Err(Unresolved::NotAnAddress)], "{line}");
        }
    }

    #[test]
    fn the_text_of_each_element_is_given_as_it_stands() {
        let found = read(b" for=192.0.2.7;by=\"a,b\" ,for=unknown").unwrap();
        let texts: Vec<&str> = found.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["for=192.0.2.7;by=\"a,b\"", "for=unknown"]);
    }

    #[test]
    fn lines_that_break_the_grammar() {
        for line in [
            "192.0.2.7",
            "for",
            "for=",
            "=192.0.2.7",
            "for=;proto=http",
            "for =192.0.2.7",
            "for= 192.0.2.7",
            "for=192.0.2.7 ;proto=http",
            "for=192.0.2.7; proto=http",
            "for=192.0.2.7 proto=http",
            "for=192.0.2.7 for=192.0.2.8",
            "for=192.0.2.7:80",
            "for=[2001:db8::7]",
            "for=[2001:db8::7], for=192.0.2.7",
            "for=\"192.0.2.7",
            "for=\"192.0.2.7\\\"",
            "for=\"192.0.2.7\\",
            "for=192.0.2.7\"",
            "for=\"192.0.2.7\"x",
            "for=\"192.0.2.7\"\"x\"",
            "for==192.0.2.7",
            "for=192.0.2.7=x",
            "for='192.0.2.7:80'",
            "for:192.0.2.7",
            "f or=192.0.2.7",
            "(c)for=192.0.2.7",
            "for=192.0.2.7;proto",
            "for=192.0.2.7;bücher=x",
            "for=192.0.2.7\u{a0}",
            "for=192.0.2.7;x=\"\u{1}\"",
            "for=192.0.2.7;x=\"\u{7f}\"",
            "for=192.0.2.7;x=\"\\\u{1}\"",
            "for=\n192.0.2.7",
            "for=<192.0.2.7>",
            "for=192.0.2.7/32",
            "for=@x",
        ] {
            assert_eq!(
                read(line.as_bytes()),
                Err(Unresolved::BadSyntax),
                "{line:?}"
            );
            let behind = format!("{line}, for=192.0.2.7");
            assert!(read(behind.as_bytes()).is_err(), "{behind:?}");
        }
        assert_eq!(
            read(b"for=192.0.2.7;x=\"\xff\""),
            Err(Unresolved::BadSyntax)
        );
    }

    #[test]
    fn repeated_parameters_and_too_many() {
        for line in [
            "for=192.0.2.7;for=192.0.2.7",
            "for=192.0.2.7;FOR=203.0.113.9",
            "for=192.0.2.7;proto=http;Proto=https",
            "for=192.0.2.7;x=1;y=2;X=\"1\"",
        ] {
            assert_eq!(
                read(line.as_bytes()),
                Err(Unresolved::RepeatedParameter),
                "{line}"
            );
        }
        let mut line = "for=192.0.2.7".to_owned();
        for number in 1..16 {
            line += &format!(";p{number}=x");
        }
        assert_eq!(nodes(&line), [known("192.0.2.7")]);
        line += ";one-more=x";
        assert_eq!(read(line.as_bytes()), Err(Unresolved::TooManyParameters));
    }
}
