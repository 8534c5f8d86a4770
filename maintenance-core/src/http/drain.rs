//! What to do with the body of a request that is answered early.
//!
//! Closing a connection with unread bytes makes the kernel reset it, and the client may lose the answer
//! (RFC 9112, section 9.6). hyper closes as soon as a body is dropped that has not come yet.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use ::http::Version;
use ::http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HeaderMap, HeaderValue, TRANSFER_ENCODING,
};
use bytes::Buf;
use http_body::Body;

/// How the unread body of a blocked HTTP/1.x request is treated.
///
/// The answer never waits for it. A task of its own reads and discards the body: up to `bytes`, so that
/// the connection may serve further requests; a body that is announced to be longer gets
/// `Connection: close`, and is discarded for at most `timeout`, so that its sender can read the answer
/// before the connection ends. A client that waits for `100 Continue` is not asked to send.
///
/// HTTP/2 ends streams one by one and needs none of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drain {
    /// The longest body that a connection survives, in bytes; 64 KiB unless changed.
    pub bytes: u64,
    /// How long a body is read; one second unless changed.
    pub timeout: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            bytes: 64 << 10,
            timeout: Duration::from_secs(1),
        }
    }
}

impl Drain {
    /// Bodies up to this many bytes, for at most this long.
    #[must_use]
    pub const fn new(bytes: u64, timeout: Duration) -> Self {
        Self { bytes, timeout }
    }
}

/// What the head of a request says of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// There is none, or the protocol ends it well without our help.
    Nothing,
    /// This many bytes, or nobody knows how many.
    Bytes(Option<u64>),
    /// It comes only if it is asked for.
    OnRequest,
}

impl Announced {
    /// RFC 9112, section 6.3: a request has a body only if a field says so.
    #[must_use]
    pub fn of(version: Version, headers: &HeaderMap) -> Self {
        if version >= Version::HTTP_2 {
            return Self::Nothing;
        }
        let length = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        let chunked = headers.contains_key(TRANSFER_ENCODING);
        if !chunked && length.is_none_or(|bytes| bytes == 0) {
            Self::Nothing
        } else if headers.contains_key(EXPECT) {
            Self::OnRequest
        } else {
            Self::Bytes(length.filter(|_| !chunked))
        }
    }
}

/// Reads the unread body of a blocked request in the background, or says in the answer that the connection
/// ends. Returns at once. Reading on takes a tokio runtime with its timer; outside of one, and with no
/// policy, the connection ends.
pub fn settle<B>(policy: Option<Drain>, announced: Announced, body: B, answer: &mut HeaderMap)
where
    B: Body + Send + 'static,
{
    let Announced::Bytes(length) = announced else {
        if announced == Announced::OnRequest {
            announce_close(answer);
        }
        return;
    };
    if body.is_end_stream() {
        return;
    }
    let runtime = tokio::runtime::Handle::try_current();
    let (Some(policy), Ok(runtime)) = (policy, runtime) else {
        announce_close(answer);
        return;
    };
    let is_long = length.is_some_and(|bytes| bytes > policy.bytes);
    if is_long {
        announce_close(answer);
    }
    let most = if is_long { u64::MAX } else { policy.bytes };
    // The timer is made within the task, where its runtime is at hand.
    runtime.spawn(async move { tokio::time::timeout(policy.timeout, discard(body, most)).await });
}

fn announce_close(answer: &mut HeaderMap) {
    answer.insert(CONNECTION, HeaderValue::from_static("close"));
}

/// How many frames are discarded before others on the thread get their turn.
const FRAMES_AT_ONCE: usize = 32;

async fn discard<B: Body>(body: B, most: u64) {
    let mut body = Box::pin(body);
    let mut read = 0_u64;
    poll_fn(|cx| {
        for _ in 0..FRAMES_AT_ONCE {
            match body.as_mut().poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None | Some(Err(_))) => return Poll::Ready(()),
                Poll::Ready(Some(Ok(frame))) => {
                    let bytes = frame.data_ref().map_or(0, Buf::remaining);
                    read = read.saturating_add(bytes as u64);
                    if read > most {
                        return Poll::Ready(());
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(version: Version, fields: &[(http::HeaderName, &'static str)]) -> Announced {
        let fields = fields.iter().cloned();
        let headers = fields.map(|(name, value)| (name, HeaderValue::from_static(value)));
        Announced::of(version, &headers.collect())
    }

    #[test]
    fn the_head_says_what_comes() {
        let of = |fields: &[_]| announced(Version::HTTP_11, fields);
        assert_eq!(of(&[]), Announced::Nothing);
        assert_eq!(of(&[(CONTENT_LENGTH, "0")]), Announced::Nothing);
        assert_eq!(of(&[(CONTENT_LENGTH, "7")]), Announced::Bytes(Some(7)));
        assert_eq!(
            of(&[(TRANSFER_ENCODING, "chunked")]),
            Announced::Bytes(None)
        );
        let expects = [(CONTENT_LENGTH, "7"), (EXPECT, "100-continue")];
        assert_eq!(of(&expects), Announced::OnRequest);
        assert_eq!(announced(Version::HTTP_2, &expects), Announced::Nothing);
    }
}
