//! Requests and responses that take their time.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;
use warp::http::StatusCode;
use warp::http::header::CONTENT_TYPE;
use warp::reply::Response;
use warp::{Buf, Filter, Rejection, Reply, reply};

use super::read;

/// The longest that anybody may ask for, in milliseconds.
const LONGEST_MS: u64 = 60_000;
/// The most chunks of a stream.
const MOST_CHUNKS: u32 = 1_000_000;

pub(super) fn routes()
-> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone + Send + Sync {
    let slow = warp::path!("slow")
        .and(read())
        .and(warp::query())
        .then(slow);
    let upload = warp::path!("upload")
        .and(warp::post())
        .and(warp::body::stream())
        .then(upload);
    let long_body = warp::path!("stream")
        .and(read())
        .and(warp::query())
        .map(long_body);
    slow.or(upload).or(long_body)
}

#[derive(Deserialize)]
struct Slow {
    #[serde(default)]
    ms: u64,
}

async fn slow(query: Slow) -> String {
    let ms = query.ms.min(LONGEST_MS);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    format!("{ms} milliseconds later\n")
}

/// Counts what comes, and keeps none of it.
async fn upload(body: impl Stream<Item = Result<impl Buf, warp::Error>>) -> Response {
    let mut body = std::pin::pin!(body);
    let mut bytes = 0;
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => bytes += chunk.remaining(),
            Err(_) => return StatusCode::BAD_REQUEST.into_response(),
        }
    }
    reply::json(&json!({ "bytes": bytes })).into_response()
}

#[derive(Deserialize)]
struct Pieces {
    chunks: Option<u32>,
    ms: Option<u64>,
}

/// Chunks of a kibibyte with pauses: ten seconds, unless asked for otherwise.
#[expect(clippy::needless_pass_by_value)]
fn long_body(query: Pieces) -> impl Reply + use<> {
    let pause = Duration::from_millis(query.ms.unwrap_or(50).min(LONGEST_MS));
    let count = query.chunks.unwrap_or(200).min(MOST_CHUNKS);
    let chunks = stream::iter(0..count).then(move |_| async move {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        Ok::<_, Infallible>(Bytes::from_static(&[b'.'; 1024]))
    });
    reply::with_header(reply::stream(chunks), CONTENT_TYPE, "text/plain")
}
