//! Requests and responses that take their time.

use std::time::Duration;

use actix_web::web::{self, Bytes, Payload, Query, ServiceConfig};
use actix_web::{Error, HttpResponse, Responder};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;

/// The longest that anybody may ask for, in milliseconds.
const LONGEST_MS: u64 = 60_000;
/// The most chunks of a stream.
const MOST_CHUNKS: u32 = 1_000_000;

pub(super) fn routes(site: &mut ServiceConfig) {
    site.route("/slow", web::get().to(slow))
        .route("/upload", web::post().to(upload))
        .route("/stream", web::get().to(long_body));
}

#[derive(Deserialize)]
struct Slow {
    #[serde(default)]
    ms: u64,
}

async fn slow(query: Query<Slow>) -> impl Responder {
    let ms = query.ms.min(LONGEST_MS);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    format!("{ms} milliseconds later\n")
}

/// Counts what comes, and keeps none of it.
async fn upload(mut payload: Payload) -> Result<HttpResponse, Error> {
    let mut bytes = 0;
    while let Some(chunk) = payload.next().await {
        bytes += chunk?.len();
    }
    Ok(HttpResponse::Ok().json(json!({ "bytes": bytes })))
}

#[derive(Deserialize)]
#[serde(default)]
struct Stream {
    chunks: u32,
    ms: u64,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            chunks: 200,
            ms: 50,
        }
    }
}

/// Chunks of a kibibyte with pauses: ten seconds, unless asked for otherwise.
async fn long_body(query: Query<Stream>) -> HttpResponse {
    let pause = Duration::from_millis(query.ms.min(LONGEST_MS));
    let chunks = stream::iter(0..query.chunks.min(MOST_CHUNKS)).then(move |_| async move {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        Ok::<_, Error>(Bytes::from_static(&[b'.'; 1024]))
    });
    HttpResponse::Ok()
        .content_type("text/plain")
        .streaming(chunks)
}
