//! Requests and responses that take their time.

use std::io;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use poem::http::StatusCode;
use poem::web::{Json, Query};
use poem::{Body, IntoResponse, Response, Route, get, handler, post};
use serde::Deserialize;
use serde_json::{Value, json};

/// The longest that anybody may ask for, in milliseconds.
const LONGEST_MS: u64 = 60_000;
/// The most chunks of a stream.
const MOST_CHUNKS: u32 = 1_000_000;

pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/slow", get(slow))
        .at("/upload", post(upload))
        .at("/stream", get(long_body))
}

#[derive(Deserialize)]
struct Slow {
    #[serde(default)]
    ms: u64,
}

#[handler]
async fn slow(query: Query<Slow>) -> String {
    let ms = query.ms.min(LONGEST_MS);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    format!("{ms} milliseconds later\n")
}

/// Counts what comes, and keeps none of it.
#[handler]
async fn upload(body: Body) -> poem::Result<Json<Value>> {
    let mut chunks = std::pin::pin!(body.into_bytes_stream());
    let mut bytes = 0;
    while let Some(chunk) = chunks.next().await {
        bytes += chunk.map_err(|_| StatusCode::BAD_REQUEST)?.len();
    }
    Ok(Json(json!({ "bytes": bytes })))
}

#[derive(Deserialize)]
struct Stream {
    chunks: Option<u32>,
    ms: Option<u64>,
}

/// Chunks of a kibibyte with pauses: ten seconds, unless asked for otherwise.
#[handler]
async fn long_body(query: Query<Stream>) -> Response {
    let pause = Duration::from_millis(query.ms.unwrap_or(50).min(LONGEST_MS));
    let count = query.chunks.unwrap_or(200).min(MOST_CHUNKS);
    let chunks = stream::iter(0..count).then(move |_| async move {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        Ok::<_, io::Error>(&[b'.'; 1024][..])
    });
    Body::from_bytes_stream(chunks)
        .with_content_type("text/plain")
        .into_response()
}
