//! The promises that every backend keeps, with a real server.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use maintenance_mode::backend::StateBackend;
use maintenance_mode_conformance::backend_suite::{
    self, Abilities, Broken, Harness, Load, Place, broken,
};
use maintenance_mode_conformance::presence_suite;
use support::Redis;

struct Servers {
    redis: Arc<Redis>,
    query: &'static str,
    places: AtomicU32,
}

impl Servers {
    fn start(query: &'static str) -> Result<Self, Broken> {
        Ok(Self {
            redis: Arc::new(Redis::start(&[])?),
            query,
            places: AtomicU32::new(0),
        })
    }
}

#[async_trait]
impl Harness for Servers {
    async fn place(&self) -> Result<Box<dyn Place>, Broken> {
        let number = self.places.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Store {
            redis: Arc::clone(&self.redis),
            prefix: format!("place-{number}"),
            query: self.query,
        }))
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            hints_within: Some(Duration::from_millis(250)),
            corrupt: true,
            vanish: true,
            server_back_within: Some(Duration::from_secs(10)),
        }
    }

    fn load(&self) -> Load {
        Load {
            writers: 32,
            tries: 1000,
            readers: 4,
        }
    }
}

struct Store {
    redis: Arc<Redis>,
    prefix: String,
    query: &'static str,
}

#[async_trait]
impl Place for Store {
    async fn open(&self) -> Result<Arc<dyn StateBackend>, Broken> {
        self.redis
            .open(&format!("?prefix={}{}", self.prefix, self.query))
    }

    async fn corrupt(&self) -> Result<Vec<u8>, Broken> {
        let old = self.redis.command(&["GET", &self.prefix])?;
        let old: String =
            redis::from_redis_value(old).map_err(|error| broken(error.to_string()))?;
        let half = &old[..old.len() / 2];
        self.redis.command(&["SET", &self.prefix, half])?;
        Ok(half.into())
    }

    async fn keeps(&self, old: &[u8], sentence: &str) -> Result<bool, Broken> {
        let key = sentence.strip_prefix("the old record is kept under the key ");
        let key = key.ok_or_else(|| broken(sentence))?;
        Ok(self.redis.command(&["GET", key])? == redis::Value::BulkString(old.to_vec()))
    }

    async fn vanish(&self) -> Result<(), Broken> {
        self.redis.command(&["DEL", &self.prefix])?;
        Ok(())
    }

    async fn stop_server(&self) -> Result<(), Broken> {
        self.redis.kill()
    }

    async fn start_server(&self) -> Result<(), Broken> {
        self.redis.start_again()
    }
}

async fn every_check_holds(query: &'static str) -> Result<(), Broken> {
    let servers = Servers::start(query)?;
    let report = backend_suite::run(&servers).await?;
    print!("{report}");
    assert_eq!(
        (report.kept.len(), report.not_applicable.len()),
        (23, 0),
        "{report}"
    );
    presence_suite::run(|| servers.place()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise() -> Result<(), Broken> {
    every_check_holds("").await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise_in_the_newer_protocol() -> Result<(), Broken> {
    every_check_holds("&protocol=3").await
}
