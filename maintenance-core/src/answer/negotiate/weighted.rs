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
pub(super) fn for_each(headers: &dyn Headers, name: &str, mut visit: impl FnMut(&[u8], Weight)) {
    let mut bytes_left = MAX_BYTES;
    let mut elements_left = MAX_ELEMENTS;
    headers.for_each(name, &mut |line| {
        let mut rest = bounded(line, bytes_left);
        bytes_left -= rest.len();
        while !rest.is_empty() {
            let (element, after) = next_element(rest);
            rest = after;
            if element.range.is_empty() {
                continue;
            }
            if elements_left == 0 {
                return;
            }
            elements_left -= 1;
            if let Some(weight) = element.weight {
                visit(element.range, weight);
            }
        }
    });
}

/// One element of a list.
struct Element<'a> {
    /// What stands before the parameters.
    range: &'a [u8],
    /// `None` if it cannot be read.
    weight: Option<Weight>,
}

/// The first element and what follows it. What stands behind `q` is an extension and not read.
fn next_element(text: &[u8]) -> (Element<'_>, &[u8]) {
    let (range, mut separator, mut rest) = next_part(text);
    let mut element = Element {
        range,
        weight: Some(FULL),
    };
    let mut weighed = false;
    while separator == Some(b';') {
        let (parameter, next, after) = next_part(rest);
        (separator, rest) = (next, after);
        if !weighed
            && let [b'q' | b'Q', value @ ..] = parameter
            && let [b'=', value @ ..] = value.trim_ascii_start()
        {
            element.weight = weight(value.trim_ascii_start());
            weighed = true;
        }
    }
    (element, rest)
}

/// What stands before the first `,` or `;` outside of a quoted string, that separator, and what follows.
fn next_part(text: &[u8]) -> (&[u8], Option<u8>, &[u8]) {
    let mut end = 0;
    while let Some(step) = text[end..]
        .iter()
        .position(|b| matches!(b, b',' | b';' | b'"'))
    {
        end += step;
        if text[end] != b'"' {
            return (text[..end].trim_ascii(), Some(text[end]), &text[end + 1..]);
        }
        end += quoted_length(&text[end..]);
    }
    (text.trim_ascii(), None, &[])
}

/// The length of the quoted string at the start; all of the text if it is never closed.
fn quoted_length(text: &[u8]) -> usize {
    let mut escaped = false;
    for (index, &byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<(String, Weight)> {
        let headers: Vec<_> = lines.iter().map(|line| ("accept", *line)).collect();
        let mut found = Vec::new();
        for_each(&headers, "accept", |range, weight| {
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
