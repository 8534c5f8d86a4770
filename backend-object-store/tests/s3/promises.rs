//! The whole suite of a state backend.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use maintenance_mode::backend::{BackendError, StateBackend};
use maintenance_mode_conformance::backend_suite::{
    self, Abilities, Broken, Harness, Load, Place, broken,
};
use maintenance_mode_conformance::object_server::{Stored, WRITER};

use crate::process::Process;
use crate::support::{BUCKET, KEY, backend_as, url};

struct S3;

#[async_trait]
impl Harness for S3 {
    async fn place(&self) -> Result<Box<dyn Place>, Broken> {
        Ok(Box::new(Process::start()?))
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            hints_within: None,
            corrupt: true,
            vanish: true,
            server_back_within: Some(Duration::from_secs(10)),
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

#[async_trait]
impl Place for Process {
    async fn open(&self) -> Result<Arc<dyn StateBackend>, Broken> {
        Ok(Arc::new(backend_as(WRITER, &url(&self.endpoint(), ""))?))
    }

    async fn corrupt(&self) -> Result<Vec<u8>, Broken> {
        let found = self.folder().read(BUCKET, KEY)?;
        let mut object = found.ok_or_else(|| broken("there is no record"))?;
        let end = object.bytes.len() - 3;
        object.bytes[end] ^= 1;
        self.folder().write(BUCKET, KEY, &object)?;
        Ok(object.bytes)
    }

    async fn keeps(&self, old: &[u8], sentence: &str) -> Result<bool, Broken> {
        let key = sentence.rsplit(' ').next().unwrap_or_default();
        let kept: Option<Stored> = self.folder().read(BUCKET, key)?;
        Ok(kept.is_some_and(|kept| kept.bytes == old))
    }

    async fn vanish(&self) -> Result<(), Broken> {
        Ok(self.folder().remove(BUCKET, KEY)?)
    }

    async fn stop_server(&self) -> Result<(), Broken> {
        self.kill()
    }

    async fn start_server(&self) -> Result<(), Broken> {
        self.start_again()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise() -> Result<(), Broken> {
    let report = backend_suite::run(&S3).await?;
    print!("{report}");
    assert_eq!(
        (report.kept.len(), report.not_applicable.len()),
        (19, 4),
        "{report}"
    );
    Ok(())
}

#[tokio::test]
async fn it_says_what_it_cannot_do() -> Result<(), Broken> {
    let place = S3.place().await?;
    let backend = place.open().await?;
    let says = |error: BackendError| {
        assert!(matches!(error, BackendError::Unsupported { .. }), "{error}");
        error.to_string()
    };
    assert!(says(backend.presence().unwrap_err()).contains("Redis, a database or NATS"));
    assert!(says(backend.subscribe().await.unwrap_err()).contains("state.poll_seconds"));
    Ok(())
}
