//! Reading an input as lines, the last of which are header fields, and looking at an answer's fields.

use maintenance_mode::Answer;

/// Cuts the first line off, without its line end.
pub(crate) fn line<'a>(data: &mut &'a [u8]) -> &'a [u8] {
    let (line, rest) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (*data, &[][..]),
    };
    *data = rest;
    line
}

/// As [`line`], as text; the part before the first byte that is not UTF-8.
pub(crate) fn text<'a>(data: &mut &'a [u8]) -> &'a str {
    valid(line(data))
}

/// `name: value` lines to the end.
pub(crate) fn fields(mut data: &[u8]) -> Vec<(&str, &[u8])> {
    let mut fields = Vec::new();
    while !data.is_empty() {
        let line = line(&mut data);
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        fields.push((valid(name), value.trim_ascii()));
    }
    fields
}

fn valid(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// Whatever was asked, the answer's fields can be sent: RFC 9110, section 5.5.
pub(crate) fn can_be_sent(answer: &Answer<'_>) {
    assert!(
        (100..600).contains(&answer.status()),
        "status {}",
        answer.status()
    );
    assert!(answer.body_for("HEAD").is_empty());
    assert_eq!(answer.body_for("GET"), *answer.body());
    let mut seen: Vec<String> = Vec::new();
    answer.for_each_field(|name, value| {
        assert!(
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "field name {name:?}"
        );
        assert!(
            value.iter().all(|b| matches!(b, b' '..=b'~' | b'\t')),
            "field {name} is {:?}",
            String::from_utf8_lossy(value)
        );
        seen.push(name.to_owned());
    });
    for once in ["content-type", "cache-control", "retry-after", "location"] {
        let count = seen.iter().filter(|name| *name == once).count();
        assert!(count <= 1, "{once} is there {count} times");
    }
}
