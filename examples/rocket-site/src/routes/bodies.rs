//! Requests and responses that take their time.

use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use rocket::data::{ByteUnit, Data};
use rocket::http::{ContentType, Status};
use rocket::response::stream::ByteStream;
use rocket::serde::json::Json;
use rocket::{get, post};
use serde_json::{Value, json};

/// The longest that anybody may ask for, in milliseconds.
const LONGEST_MS: u64 = 60_000;
/// The most chunks of a stream.
const MOST_CHUNKS: u32 = 1_000_000;

#[get("/slow?<ms>")]
pub(super) async fn slow(ms: Option<u64>) -> String {
    let ms = ms.unwrap_or_default().min(LONGEST_MS);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    format!("{ms} milliseconds later\n")
}

/// Counts what comes, and keeps none of it.
#[post("/upload", data = "<data>")]
pub(super) async fn upload(data: Data<'_>) -> Result<Json<Value>, Status> {
    let read = data
        .open(ByteUnit::max_value())
        .stream_to(tokio::io::sink())
        .await;
    match read {
        Ok(bytes) if bytes.complete => Ok(Json(json!({ "bytes": bytes.written }))),
        Ok(_) => Err(Status::PayloadTooLarge),
        Err(_) => Err(Status::BadRequest),
    }
}

/// Chunks of a kibibyte with pauses: ten seconds, unless asked for otherwise.
#[get("/stream?<chunks>&<ms>")]
pub(super) fn long_body(
    chunks: Option<u32>,
    ms: Option<u64>,
) -> (ContentType, ByteStream<impl Stream<Item = &'static [u8]>>) {
    let pause = Duration::from_millis(ms.unwrap_or(50).min(LONGEST_MS));
    let count = chunks.unwrap_or(200).min(MOST_CHUNKS);
    let chunks = stream::iter(0..count).then(move |_| async move {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        [b'.'; 1024].as_slice()
    });
    (ContentType::Plain, ByteStream(chunks))
}
