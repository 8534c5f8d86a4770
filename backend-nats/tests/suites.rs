//! The backend keeps the promises of every backend, with a real server that dies and comes back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use maintenance_mode::backend::StateBackend;
use maintenance_mode_conformance::backend_suite::{self, Abilities, Broken, Harness, Load, Place};
use maintenance_mode_conformance::presence_suite;
use serde_json::{Value, json};
use support::Nats;

struct Buckets {
    nats: Arc<Nats>,
    next: AtomicU32,
}

impl Buckets {
    fn new() -> Self {
        Self {
            nats: Arc::new(Nats::new()),
            next: AtomicU32::new(0),
        }
    }
}

#[async_trait]
impl Harness for Buckets {
    async fn place(&self) -> Result<Box<dyn Place>, Broken> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Bucket {
            nats: Arc::clone(&self.nats),
            name: format!("b{number}"),
        }))
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            hints_within: Some(Duration::from_millis(250)),
            corrupt: true,
            vanish: true,
            server_back_within: Some(Duration::from_secs(5)),
        }
    }

    fn load(&self) -> Load {
        Load {
            writers: 32,
            tries: 1000,
            readers: 8,
        }
    }
}

struct Bucket {
    nats: Arc<Nats>,
    name: String,
}

impl Bucket {
    async fn stored(&self, key: &str) -> Vec<u8> {
        let subject = format!("$JS.API.STREAM.MSG.GET.KV_{}", self.name);
        let ask = json!({ "last_by_subj": format!("$KV.{}.{key}", self.name) });
        let client = self.nats.client().await;
        let answer = client
            .request(subject, ask.to_string().into())
            .await
            .unwrap();
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        let data = answer["message"]["data"].as_str().unwrap_or_default();
        base64::prelude::BASE64_STANDARD.decode(data).unwrap()
    }
}

#[async_trait]
impl Place for Bucket {
    async fn open(&self) -> Result<Arc<dyn StateBackend>, Broken> {
        Ok(self.nats.open(&format!("bucket={}", self.name)))
    }

    async fn corrupt(&self) -> Result<Vec<u8>, Broken> {
        let mut bytes = self.stored("state").await;
        bytes.truncate(bytes.len() / 2);
        let subject = format!("$KV.{}.state", self.name);
        let client = self.nats.client().await;
        client.request(subject, bytes.clone().into()).await.unwrap();
        Ok(bytes)
    }

    async fn keeps(&self, old: &[u8], sentence: &str) -> Result<bool, Broken> {
        let key = sentence.split('`').nth(1).unwrap();
        Ok(self.stored(key).await == old)
    }

    async fn vanish(&self) -> Result<(), Broken> {
        // As `nats kv del` does it.
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("KV-Operation", "DEL");
        let subject = format!("$KV.{}.state", self.name);
        let client = self.nats.client().await;
        let deletion = client.request_with_headers(subject, headers, "".into());
        deletion.await.unwrap();
        Ok(())
    }

    async fn stop_server(&self) -> Result<(), Broken> {
        self.nats.kill();
        Ok(())
    }

    async fn start_server(&self) -> Result<(), Broken> {
        self.nats.start();
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise() -> Result<(), Broken> {
    let report = backend_suite::run(&Buckets::new()).await?;
    print!("{report}");
    assert_eq!(
        (report.kept.len(), report.not_applicable.len()),
        (23, 0),
        "{report}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise_of_presence() -> Result<(), Broken> {
    let buckets = Buckets::new();
    presence_suite::run(|| buckets.place()).await
}
