//! What to do with the body of a request that is answered early.
//!
//! Closing a connection with unread bytes makes the kernel reset it, and the client may lose the answer
//! (RFC 9112, section 9.6). So a small body is read and thrown away, within bounds; for a large one the
//! answer says that the connection ends.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderMap, HeaderValue};

const MOST_BYTES: usize = 64 << 10;
const LONGEST: Duration = Duration::from_secs(1);

/// Whether reading the body may well end within the bounds.
pub(crate) fn is_worthwhile(headers: &HeaderMap) -> bool {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    // Asking for a body that waits for `100 Continue` would send just that.
    announced.is_none_or(|bytes| bytes <= MOST_BYTES) && !headers.contains_key(EXPECT)
}

/// Reads while the answer is on its way. hyper writes it at once, whatever becomes of the body.
pub(crate) fn in_background(mut body: Incoming) {
    if hyper::body::Body::is_end_stream(&body) {
        return;
    }
    tokio::spawn(tokio::time::timeout(LONGEST, async move {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, bytes::Bytes::len);
            if read > MOST_BYTES {
                return;
            }
        }
    }));
}

/// Says that the connection ends after this answer.
pub(crate) fn announce_close(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
}
