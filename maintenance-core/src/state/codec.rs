//! The bytes of a stored record: a header line that detects damage, then JSON that people can read.
//!
//! ```text
//! maintenance-mode-state 1 len=412 crc32c=9a3f01c7
//! {
//!   "schema": 1,
//! ```
//!
//! The header line holds the magic, the schema, the length of everything after its line feed, and the
//! CRC-32C (RFC 3720, appendix B.4) of the same bytes. Reading never guesses: a record that is not whole
//! is an error, never an empty state.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Change, Epoch, SCHEMA, SiteName, SiteState, State};

/// The most bytes that a stored record may have, header included: 1 MiB.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// The first word of every stored record.
pub const MAGIC: &str = "maintenance-mode-state";

/// A header line is far shorter; whatever has no line feed by then is none.
const MAX_HEADER_BYTES: usize = 128;

/// The bytes are not a record that this version can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Nothing there, or only white space.
    #[error("the record is empty")]
    Empty,
    /// Cut off.
    #[error("the record is cut off: it should have {expected} bytes and has {got}")]
    Truncated {
        /// Bytes that the header promises, header included; for a cut header, the least it could have.
        expected: usize,
        /// Bytes that are there.
        got: usize,
    },
    /// More bytes than the header says.
    #[error(
        "the record has {extra} bytes more than its header says; was it edited by hand? `lenient=true` reads plain JSON without a header line"
    )]
    Trailing {
        /// How many too many.
        extra: usize,
    },
    /// Something else altogether.
    #[error("this is not a maintenance record: it begins with `{begins}`, not with `{MAGIC}`")]
    BadMagic {
        /// Its first characters, made printable.
        begins: String,
    },
    /// JSON without the header line, where that was not allowed.
    #[error(
        "this is JSON without the header line of a maintenance record; add `lenient=true` to the backend's URL to read hand-written JSON"
    )]
    Bare,
    /// The header line begins well and goes on badly.
    #[error("the header line is wrong: {0}")]
    Header(String),
    /// Written by a later version.
    #[error(
        "the record has schema {got} and this version reads up to {SCHEMA}; upgrade this program"
    )]
    NewerSchema {
        /// Its schema number.
        got: u32,
    },
    /// Not the bytes that were written.
    #[error(
        "the checksum is wrong: the header says {expected:08x}, the text has {got:08x}; the record is damaged or was edited by hand"
    )]
    Checksum {
        /// From the header.
        expected: u32,
        /// Of the text.
        got: u32,
    },
    /// The JSON is wrong, or is not a state.
    #[error("line {line}, column {column}: {what}")]
    Json {
        /// Line of the whole record, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// A key that means nothing, in hand-written JSON.
    #[error("`{0}` is not a key of a state; is it misspelt?")]
    UnknownKey(String),
    /// Over the limit.
    #[error("the record has {0} bytes or more; at most {MAX_RECORD_BYTES} are read")]
    TooLarge(usize),
}

/// The state cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Over the limit.
    #[error(
        "the state takes {0} bytes and at most {MAX_RECORD_BYTES} are stored; remove windows, exemptions or sites that are no longer needed"
    )]
    TooLarge(usize),
    /// It would be written and could not be read again.
    #[error("the state would not be readable once stored: {0}")]
    Unreadable(String),
}

/// The stored form of a state.
///
/// What comes out is read back and compared before it is returned, so that a record that nobody could
/// read is never written.
///
/// # Errors
///
/// The state is too large, or holds something that its stored form cannot express.
///
/// ```
/// use maintenance_mode::state::{Epoch, State, codec};
///
/// let state = State::new(Epoch::from_bits(7));
/// let bytes = codec::encode(&state)?;
/// assert!(bytes.starts_with(b"maintenance-mode-state 1 len="));
/// assert_eq!(codec::decode(&bytes), Ok(state));
/// # Ok::<(), codec::EncodeError>(())
/// ```
pub fn encode(state: &State) -> Result<Vec<u8>, EncodeError> {
    let unreadable = |why: &dyn std::fmt::Display| EncodeError::Unreadable(why.to_string());
    let mut body = serde_json::to_vec_pretty(state).map_err(|e| unreadable(&e))?;
    body.push(b'\n');
    let mut bytes = format!(
        "{MAGIC} {} len={} crc32c={:08x}\n",
        state.schema,
        body.len(),
        crc32c::crc32c(&body)
    )
    .into_bytes();
    bytes.append(&mut body);
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(EncodeError::TooLarge(bytes.len()));
    }
    match decode(&bytes) {
        Ok(back) if back == *state => Ok(bytes),
        Ok(_) => Err(unreadable(
            &"it holds a value that changes on its way through JSON",
        )),
        Err(error) => Err(unreadable(&error)),
    }
}

/// Reads a stored record. Never panics, whatever the bytes are.
///
/// # Errors
///
/// Anything but a whole, unchanged record of a known schema.
pub fn decode(bytes: &[u8]) -> Result<State, DecodeError> {
    let (header, body) = split(bytes)?;
    let expected_len = header.len;
    if body.len() < expected_len {
        let header_len = bytes.len() - body.len();
        return Err(DecodeError::Truncated {
            expected: header_len.saturating_add(expected_len),
            got: bytes.len(),
        });
    }
    if body.len() > expected_len {
        return Err(DecodeError::Trailing {
            extra: body.len() - expected_len,
        });
    }
    let got = crc32c::crc32c(body);
    if got != header.crc {
        return Err(DecodeError::Checksum {
            expected: header.crc,
            got,
        });
    }
    let state: State = serde_json::from_slice(body).map_err(|e| json_error(&e, 1))?;
    if state.schema == header.schema {
        Ok(state)
    } else {
        Err(DecodeError::Header(format!(
            "it says schema {} and the text says schema {}",
            header.schema, state.schema
        )))
    }
}

/// Reads a stored record, or JSON that somebody wrote by hand without a header line.
///
/// Hand-written JSON needs no more than `{"sites": {"default": {"mode": "offline"}}}`. Its epoch is taken
/// from a hash of the text, whatever it says itself: so every change of the text is a new epoch and is
/// noticed, although nobody counted a revision up. Keys that a state does not have are refused, because
/// a misspelt `mode` must not read as "online".
///
/// # Errors
///
/// As [`decode`], and unknown keys.
///
/// ```
/// use maintenance_mode::state::{Mode, codec};
///
/// let state = codec::decode_lenient(br#"{"sites": {"default": {"mode": "offline"}}}"#)?;
/// assert_eq!(state.sites["default"].mode, Mode::Offline);
/// # Ok::<(), codec::DecodeError>(())
/// ```
pub fn decode_lenient(bytes: &[u8]) -> Result<State, DecodeError> {
    match decode(bytes) {
        Err(DecodeError::Bare) => decode_bare(bytes),
        other => other,
    }
}

struct Header {
    schema: u32,
    len: usize,
    crc: u32,
}

fn split(bytes: &[u8]) -> Result<(Header, &[u8]), DecodeError> {
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(DecodeError::TooLarge(bytes.len()));
    }
    if bytes.trim_ascii().is_empty() {
        return Err(DecodeError::Empty);
    }
    let Some(rest) = bytes.strip_prefix(MAGIC.as_bytes()) else {
        return Err(not_magic(bytes));
    };
    let head = &bytes[..bytes.len().min(MAX_HEADER_BYTES)];
    let Some(end) = head.iter().position(|b| *b == b'\n') else {
        return Err(if bytes.len() < MAX_HEADER_BYTES {
            DecodeError::Truncated {
                expected: bytes.len() + 1,
                got: bytes.len(),
            }
        } else {
            DecodeError::Header(format!(
                "it has no end within {MAX_HEADER_BYTES} characters"
            ))
        });
    };
    let line = &rest[..end - MAGIC.len()];
    let line =
        std::str::from_utf8(line).map_err(|_| DecodeError::Header("it is not text".to_owned()))?;
    Ok((header(line)?, &bytes[end + 1..]))
}

fn not_magic(bytes: &[u8]) -> DecodeError {
    if MAGIC.as_bytes().starts_with(bytes) {
        return DecodeError::Truncated {
            expected: MAGIC.len(),
            got: bytes.len(),
        };
    }
    if without_bom(bytes).trim_ascii_start().starts_with(b"{") {
        return DecodeError::Bare;
    }
    let begins = String::from_utf8_lossy(&bytes[..bytes.len().min(24)]);
    DecodeError::BadMagic {
        begins: begins.escape_debug().to_string(),
    }
}

/// Reads ` SCHEMA len=N crc32c=HEX`. The schema comes first: a later one may change the rest.
fn header(line: &str) -> Result<Header, DecodeError> {
    let wrong = |what: String| DecodeError::Header(what);
    let mut fields = line.split(' ').skip(1);
    let schema = fields.next().unwrap_or_default();
    let schema: u32 = digits(schema)
        .ok_or_else(|| wrong(format!("`{}` is not a schema", schema.escape_debug())))?;
    if schema > SCHEMA {
        return Err(DecodeError::NewerSchema { got: schema });
    }
    if schema == 0 {
        return Err(wrong("there is no schema 0".to_owned()));
    }
    let len = fields
        .next()
        .and_then(|f| f.strip_prefix("len="))
        .and_then(digits)
        .ok_or_else(|| wrong("`len=` with a number is missing".to_owned()))?;
    let crc = fields
        .next()
        .and_then(|f| f.strip_prefix("crc32c="))
        .filter(|f| f.len() == 8 && f.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        .and_then(|f| u32::from_str_radix(f, 16).ok())
        .ok_or_else(|| wrong("`crc32c=` with 8 hexadecimal digits is missing".to_owned()))?;
    match fields.next() {
        None => Ok(Header { schema, len, crc }),
        Some(more) => Err(wrong(format!("`{}` is too much", more.escape_debug()))),
    }
}

/// A number without sign; `str::parse` would take `+1`.
fn digits<N: std::str::FromStr>(text: &str) -> Option<N> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

#[derive(Deserialize)]
struct Bare {
    #[serde(default = "current_schema")]
    schema: u32,
    #[serde(default = "first_revision")]
    revision: u64,
    #[serde(default)]
    sites: BTreeMap<SiteName, SiteState>,
    #[serde(default)]
    log: Vec<Change>,
}

const fn current_schema() -> u32 {
    SCHEMA
}

const fn first_revision() -> u64 {
    1
}

fn decode_bare(bytes: &[u8]) -> Result<State, DecodeError> {
    let text = without_bom(bytes);
    let bare: Bare = serde_json::from_slice(text).map_err(|e| json_error(&e, 0))?;
    if bare.schema > SCHEMA {
        return Err(DecodeError::NewerSchema { got: bare.schema });
    }
    let state = State {
        schema: SCHEMA,
        epoch: epoch_of(text),
        revision: bare.revision.max(1),
        sites: bare.sites,
        log: bare.log,
    };
    let written: Value = serde_json::from_slice(text).map_err(|e| json_error(&e, 0))?;
    let meant = serde_json::to_value(&state).map_err(|e| json_error(&e, 0))?;
    match unknown_key(&written, &meant) {
        Some(key) => Err(DecodeError::UnknownKey(key)),
        None => Ok(state),
    }
}

fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

fn epoch_of(text: &[u8]) -> Epoch {
    let hash = Sha256::digest(text);
    let bits = hash
        .iter()
        .take(8)
        .fold(0_u64, |n, b| n << 8 | u64::from(*b));
    Epoch::from_bits(bits)
}

/// The first key of `written` that did not arrive in `meant`. Values that are left out when they are
/// stored (null, empty lists and objects) may be missing.
fn unknown_key(written: &Value, meant: &Value) -> Option<String> {
    match (written, meant) {
        (Value::Object(written), Value::Object(meant)) => {
            written
                .iter()
                .find_map(|(key, value)| match meant.get(key) {
                    Some(meant) => unknown_key(value, meant).map(|inner| format!("{key}.{inner}")),
                    None if is_nothing(value) => None,
                    None => Some(key.clone()),
                })
        }
        (Value::Array(written), Value::Array(meant)) => written
            .iter()
            .zip(meant)
            .enumerate()
            .find_map(|(i, (w, m))| unknown_key(w, m).map(|inner| format!("{i}.{inner}"))),
        _ => None,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_nothing),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn json_error(error: &serde_json::Error, lines_before: usize) -> DecodeError {
    let what = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    DecodeError::Json {
        line: error.line() + lines_before,
        column: error.column(),
        what: what.strip_suffix(&place).unwrap_or(&what).to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Timestamp;
    use crate::state::{Mode, Window, WindowId};

    fn sample() -> State {
        let mut state = State::new(Epoch::from_bits(0x0123_4567_89ab_cdef));
        state.revision = 41;
        let site = state.site_mut(&SiteName::default());
        site.mode = Mode::Pending;
        site.why = Some("Umzug – ä\u{1f600}".to_owned());
        let start = Timestamp::from_millis(1_795_212_000_000);
        site.windows =
            vec![Window::new(WindowId::from_bits(9), Mode::Offline, Some(start), None).unwrap()];
        state
    }

    #[test]
    fn what_was_written_is_read() {
        let state = sample();
        assert_eq!(decode(&encode(&state).unwrap()), Ok(state));
    }

    #[test]
    fn the_header_is_as_documented() {
        let bytes = encode(&sample()).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (header, body) = text.split_once('\n').unwrap();
        assert_eq!(
            header,
            format!(
                "maintenance-mode-state 1 len={} crc32c={:08x}",
                body.len(),
                crc32c::crc32c(body.as_bytes())
            )
        );
        assert!(body.starts_with("{\n  \"schema\": 1,") && body.ends_with("}\n"));
    }

    #[test]
    fn the_checksum_is_the_castagnoli_one() {
        // RFC 3720, appendix B.4: 32 bytes of zeros, least significant byte first.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn every_cut_is_noticed() {
        let bytes = encode(&sample()).unwrap();
        assert_eq!(decode(b""), Err(DecodeError::Empty));
        for end in 1..bytes.len() {
            let error = decode(&bytes[..end]).unwrap_err();
            assert!(
                matches!(error, DecodeError::Truncated { .. }),
                "{end}: {error}"
            );
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = encode(&sample()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&damaged).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn each_fault_has_its_name() {
        let whole = encode(&sample()).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        let edited = text.replacen("pending", "offline", 1);
        assert!(matches!(
            decode(edited.as_bytes()),
            Err(DecodeError::Checksum { .. })
        ));
        assert_eq!(
            decode(&[&whole[..], b"\n"].concat()),
            Err(DecodeError::Trailing { extra: 1 })
        );
        assert_eq!(
            decode(b"maintenance-mode-state 2 anything\n{}"),
            Err(DecodeError::NewerSchema { got: 2 })
        );
        assert!(matches!(
            decode(b"<html>"),
            Err(DecodeError::BadMagic { .. })
        ));
        assert_eq!(decode(b" {\"sites\": {}}"), Err(DecodeError::Bare));
        assert!(matches!(
            decode(b"maintenance-mode-state 1 len=+3 crc32c=00000000\n"),
            Err(DecodeError::Header(_))
        ));
        assert!(matches!(
            decode(&[b'{'; MAX_RECORD_BYTES + 1]),
            Err(DecodeError::TooLarge(_))
        ));
        assert_eq!(decode(b" \r\n\t"), Err(DecodeError::Empty));
    }

    #[test]
    fn wrong_json_under_a_right_checksum_says_where() {
        let body = b"{\n  \"schema\": 1,\n  oops\n}\n";
        let mut bytes = format!(
            "{MAGIC} 1 len={} crc32c={:08x}\n",
            body.len(),
            crc32c::crc32c(body)
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        let error = decode(&bytes).unwrap_err();
        assert!(
            matches!(
                error,
                DecodeError::Json {
                    line: 4,
                    column: 3,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn what_cannot_be_read_again_is_not_written() {
        let mut state = sample();
        state.site_mut(&SiteName::default()).expected_end = Some(Timestamp::MAX);
        assert!(matches!(encode(&state), Err(EncodeError::Unreadable(_))));
        let mut state = sample();
        state.schema = SCHEMA + 1;
        assert!(matches!(encode(&state), Err(EncodeError::Unreadable(_))));
        let mut state = sample();
        state.site_mut(&SiteName::default()).why = Some("x".repeat(MAX_RECORD_BYTES));
        assert!(matches!(encode(&state), Err(EncodeError::TooLarge(_))));
    }

    #[test]
    fn hand_written_json_is_read_on_request_only() {
        let text =
            br#"{"sites": {"default": {"mode": "offline", "message": null, "windows": []}}}"#;
        assert_eq!(decode(text), Err(DecodeError::Bare));
        let state = decode_lenient(text).unwrap();
        assert_eq!(state.sites["default"].mode, Mode::Offline);
        assert_eq!(decode(&encode(&state).unwrap()), Ok(state.clone()));
        let bom = [b"\xef\xbb\xbf", &text[..]].concat();
        assert_eq!(decode_lenient(&bom), Ok(state));
    }

    #[test]
    fn an_edited_text_is_another_epoch_even_if_it_claims_the_old_one() {
        let a = decode_lenient(
            br#"{"epoch":"0000000000000001","revision":3,"sites":{"default":{"mode":"offline"}}}"#,
        )
        .unwrap();
        let b = decode_lenient(
            br#"{"epoch":"0000000000000001","revision":3,"sites":{"default":{"mode":"online"}}}"#,
        )
        .unwrap();
        assert_eq!((a.revision, b.revision), (3, 3));
        assert_ne!(a.epoch, b.epoch);
    }

    #[test]
    fn a_misspelt_key_does_not_read_as_online() {
        for (text, key) in [
            (&br#"{"sites": {"default": {"mod": "offline"}}}"#[..], "sites.default.mod"),
            (br#"{"site": {"default": {"mode": "offline"}}}"#, "site"),
            (br#"{"sites": {"default": {"windows": [{"id": "00000000000000000000000000000001", "stat": 1}]}}}"#, "sites.default.windows.0.stat"),
        ] {
            assert_eq!(decode_lenient(text), Err(DecodeError::UnknownKey(key.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode_lenient(&bytes);
            let framed = [MAGIC.as_bytes(), b" 1 ", &bytes].concat();
            let _ = decode(&framed);
        }

        #[test]
        fn json_like_text_does_not_make_it_panic(text in "[{}\\[\\]:,\"a-z0-9 ]{0,200}") {
            let _ = decode_lenient(format!("{{{text}").as_bytes());
        }
    }
}
