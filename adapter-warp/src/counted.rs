//! Counting on until the body of a response has ended.
//!
//! warp's body is a closed box: from outside it can be made of [`Bytes`] and of a stream, and nothing else.
//! So a body that lies in memory as a whole goes on as bytes that own the count: its length stays known, at
//! the price of that owner and of a new box. Any other body goes on as a stream, in a new box.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::Stream;
use http::Response;
use http_body::Body;
use maintenance_mode::live::InFlightGuard;
use warp::Reply;

/// The same response; the count ends when its body has ended or was dropped.
pub(crate) fn until_the_body_ends<B>(
    response: Response<B>,
    guard: InFlightGuard,
) -> warp::reply::Response
where
    Response<B>: Reply,
    B: Body<Data = Bytes> + Unpin + Send + Sync + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static,
{
    // Nothing is to come: what there is to count has ended.
    if response.body().is_end_stream() {
        return response.into_response();
    }
    let (head, mut body) = response.into_parts();
    let first = if body.size_hint().exact().is_some() {
        first_data(&mut body)
    } else {
        None
    };
    match first {
        Some(Ok(data)) if body.is_end_stream() => {
            let bytes = Bytes::from_owner(CountedBytes {
                data,
                _guard: guard,
            });
            Response::from_parts(head, bytes).into_response()
        }
        first => {
            let frames = CountedFrames {
                first,
                body,
                _guard: guard,
            };
            let body = warp::reply::stream(frames).into_response().into_body();
            Response::from_parts(head, body)
        }
    }
}

/// What is there already.
fn first_data<B: Body + Unpin>(body: &mut B) -> Option<Result<B::Data, B::Error>> {
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(body).poll_frame(&mut cx) {
        Poll::Ready(Some(frame)) => data(frame),
        // Whoever polls next leaves a waker that wakes.
        Poll::Ready(None) | Poll::Pending => None,
    }
}

/// A frame's data. Trailers cannot be: warp has no way to make a response with them.
fn data<D, E>(frame: Result<http_body::Frame<D>, E>) -> Option<Result<D, E>> {
    frame.map(|frame| frame.into_data().ok()).transpose()
}

/// A whole body. The bytes go first: fields are dropped in this order, and the count ends last.
struct CountedBytes {
    data: Bytes,
    _guard: InFlightGuard,
}

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

/// A body that comes piece by piece. The count ends last here, too.
struct CountedFrames<B: Body> {
    first: Option<Result<B::Data, B::Error>>,
    body: B,
    _guard: InFlightGuard,
}

/// Nothing in it is ever pinned but the body, which need not be.
impl<B: Body + Unpin> Unpin for CountedFrames<B> {}

impl<B: Body + Unpin> Stream for CountedFrames<B> {
    type Item = Result<B::Data, B::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        Pin::new(&mut self.body)
            .poll_frame(cx)
            .map(|frame| frame.and_then(data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::convert::Infallible;

    use futures_util::StreamExt as _;
    use http_body::{Frame, SizeHint};
    use maintenance_mode::live::InFlight;

    /// A body of known length in two pieces, the second one late: none of warp's is like this today.
    struct Two(u8);

    impl Body for Two {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0 += 1;
            match self.0 {
                1 | 3 => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"piece"))))),
                2 => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                _ => Poll::Ready(None),
            }
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(10)
        }
    }

    #[test]
    fn what_was_looked_at_comes_first_and_the_count_ends_last() {
        let in_flight = InFlight::new();
        let mut body = Two(0);
        let first = first_data(&mut body);
        assert!(matches!(&first, Some(Ok(data)) if data == "piece"));
        let frames = CountedFrames {
            first,
            body,
            _guard: in_flight.enter(),
        };
        let pieces = futures_util::FutureExt::now_or_never(frames.take(1).count());
        assert_eq!((pieces, in_flight.count()), (Some(1), 0));

        let mut frames = CountedFrames {
            first: None,
            body: Two(0),
            _guard: in_flight.enter(),
        };
        let mut cx = Context::from_waker(Waker::noop());
        let mut poll = || Pin::new(&mut frames).poll_next(&mut cx);
        assert!(matches!(poll(), Poll::Ready(Some(Ok(_)))));
        assert!(poll().is_pending());
        assert!(matches!(poll(), Poll::Ready(Some(Ok(_)))));
        assert!(matches!(poll(), Poll::Ready(None)));
        assert_eq!(in_flight.count(), 1);
        drop(frames);
        assert_eq!(in_flight.count(), 0);
    }
}
