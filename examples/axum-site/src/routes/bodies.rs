//! Requests and responses that take their time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;

/// The longest that anybody may ask for, in milliseconds.
const LONGEST_MS: u64 = 60_000;
/// The most chunks of a stream.
const MOST_CHUNKS: u32 = 1_000_000;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/slow", get(slow))
        .route("/upload", post(upload))
        .route("/stream", get(long_body))
}

#[derive(Deserialize)]
struct Slow {
    #[serde(default)]
    ms: u64,
}

async fn slow(query: Query<Slow>) -> String {
    let ms = query.ms.min(LONGEST_MS);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    format!("{ms} milliseconds later\n")
}

/// Counts what comes, and keeps none of it.
async fn upload(body: Body) -> Result<Json<Value>, StatusCode> {
    let mut chunks = body.into_data_stream();
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
async fn long_body(query: Query<Stream>) -> impl IntoResponse {
    let pause = Duration::from_millis(query.ms.unwrap_or(50).min(LONGEST_MS));
    let count = query.chunks.unwrap_or(200).min(MOST_CHUNKS);
    let chunks = stream::iter(0..count).then(move |_| async move {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        Ok::<_, std::convert::Infallible>(Bytes::from_static(&[b'.'; 1024]))
    });
    ([(CONTENT_TYPE, "text/plain")], Body::from_stream(chunks))
}
