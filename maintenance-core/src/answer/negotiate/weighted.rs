//! Lists of ranges with weights, the common form of `Accept` and `Accept-Language`.
//!
//! RFC 9110, sections 5.6.1 (lists), 5.6.6 (parameters), 12.4.2 (weights).

use crate::request::Headers;

/// A weight in thousandths, 0 to 1000; 0 means "not acceptable".
pub(super) type Weight = u16;

/// The weight of a range that names none.
pub(super) const FULL: Weight = 1000;

/// How many bytes of one kind of field are looked at, over all its lines.
///
/// Browsers send under 200; whatever comes after the bound is not looked at.
const MAX_BYTES: usize = 8 * 1024;

/// How many elements are looked at, over all lines.
const MAX_ELEMENTS: usize = 64;

/// Calls `visit` with each range of the list field `name`, without its parameters, and its weight.
///
/// Elements whose weight cannot be read are left out: nobody knows what they ask for.
pub(super) fn for_each(headers: &dyn Headers, name: &str, visit: &mut dyn FnMut(&[u8], Weight)) {
    let mut bytes_left = MAX_BYTES;
    let mut elements_left = MAX_ELEMENTS;
    headers.for_each(name, &mut |line| {
        let line = bounded(line, bytes_left);
        bytes_left -= line.len();
        for element in split(line, b',') {
            if element.is_empty() {
                continue;
            }
            if elements_left == 0 {
                return;
            }
            elements_left -= 1;
            if let Some((range, weight)) = range_and_weight(element) {
                visit(range, weight);
            }
        }
    });
}

/// The line, or as many whole elements of it as begin within `limit` bytes.
fn bounded(line: &[u8], limit: usize) -> &[u8] {
    match line.get(..limit) {
        Some(cut) if cut.len() < line.len() => {
            let whole = cut.iter().rposition(|b| *b == b',').unwrap_or(0);
            &cut[..whole]
        }
        _ => line,
    }
}

/// The range before the parameters, and the value of `q`. What follows `q` is an extension and not read.
fn range_and_weight(element: &[u8]) -> Option<(&[u8], Weight)> {
    let mut parts = split(element, b';');
    let range = parts.next().filter(|range| !range.is_empty())?;
    for part in parts {
        if let [b'q' | b'Q', rest @ ..] = part
            && let [b'=', value @ ..] = rest.trim_ascii_start()
        {
            return Some((range, weight(value.trim_ascii_start())?));
        }
    }
    Some((range, FULL))
}

/// `0`, `1`, `0.5`; also `.5` and more than three digits, which old clients write.
fn weight(text: &[u8]) -> Option<Weight> {
    let (whole, digits) = match text {
        [b'.', digits @ ..] if !digits.is_empty() => (0, digits),
        [whole @ (b'0' | b'1')] => (whole - b'0', &[][..]),
        [whole @ (b'0' | b'1'), b'.', digits @ ..] => (whole - b'0', digits),
        _ => return None,
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut thousandths = u16::from(whole) * FULL;
    for (digit, worth) in digits.iter().zip([100, 10, 1]) {
        thousandths += u16::from(digit - b'0') * worth;
    }
    (thousandths <= FULL).then_some(thousandths)
}

/// The trimmed parts between separators that stand outside of quoted strings.
fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = outside_quotes(text, separator);
        rest = text.get(end + 1..);
        Some(text[..end].trim_ascii())
    })
}

/// Where the first `separator` outside of a quoted string stands, or the length.
fn outside_quotes(text: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (index, &byte) in text.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if byte == b'"' {
            quoted = !quoted;
        } else if quoted {
            escaped = byte == b'\\';
        } else if byte == separator {
            return index;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<(String, Weight)> {
        let headers: Vec<_> = lines.iter().map(|line| ("accept", *line)).collect();
        let mut found = Vec::new();
        for_each(&headers, "accept", &mut |range, weight| {
            found.push((String::from_utf8_lossy(range).into_owned(), weight));
        });
        found
    }

    fn pairs(found: &[(&str, Weight)]) -> Vec<(String, Weight)> {
        found.iter().map(|(r, w)| ((*r).to_owned(), *w)).collect()
    }

    #[test]
    fn weights_and_parameters() {
        assert_eq!(
            read(&[
                "text/html;level=1 ; q=0.25, a/b ; Q=1.000;ext=2,c/d;q=0",
                "e/f"
            ]),
            pairs(&[("text/html", 250), ("a/b", 1000), ("c/d", 0), ("e/f", 1000)])
        );
    }

    #[test]
    fn the_first_q_is_the_weight() {
        assert_eq!(read(&["a/b;q=0.1;q=0.9"]), pairs(&[("a/b", 100)]));
    }

    #[test]
    fn separators_in_quoted_strings_do_not_count() {
        assert_eq!(
            read(&[r#"a/b;x="1,2;q=0, \"c/d\"";q=0.5, e/f"#]),
            pairs(&[("a/b", 500), ("e/f", 1000)])
        );
        assert_eq!(read(&[r#"a/b;x="open, c/d"#]), pairs(&[("a/b", 1000)]));
    }

    #[test]
    fn odd_weights() {
        // What Java's HttpURLConnection has sent for decades.
        assert_eq!(
            read(&["text/html, image/gif, *; q=.2, */*; q=.2"]),
            pairs(&[
                ("text/html", 1000),
                ("image/gif", 1000),
                ("*", 200),
                ("*/*", 200)
            ])
        );
        assert_eq!(read(&["a/b;q=0.12345"]), pairs(&[("a/b", 123)]));
        for bad in [
            "a/b;q=2",
            "a/b;q=1.001",
            "a/b;q=-1",
            "a/b;q=",
            "a/b;q=x",
            "a/b;q=.",
        ] {
            assert_eq!(read(&[bad]), pairs(&[]), "{bad}");
        }
    }

    #[test]
    fn empty_elements_are_nothing() {
        assert_eq!(read(&[" , ,;q=1, a/b ,"]), pairs(&[("a/b", 1000)]));
    }

    #[test]
    fn what_is_read_is_bounded() {
        let many = "a/b,".repeat(10_000);
        assert_eq!(read(&[&many]).len(), MAX_ELEMENTS);
        let long = format!("{},c/d", "x".repeat(1 << 20));
        assert_eq!(read(&[&long]), pairs(&[]));
        let cut = format!("a/b,{}", "x".repeat(1 << 20));
        assert_eq!(read(&[&cut, "c/d"])[0], ("a/b".to_owned(), 1000));
    }
}
