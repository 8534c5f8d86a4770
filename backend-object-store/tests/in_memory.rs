//! The suite on the store in memory of `object_store`, which honours conditions.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use async_trait::async_trait;
use maintenance_mode::backend::StateBackend;
use maintenance_mode_conformance::backend_suite::{
    self, Abilities, Broken, Harness, Load, Place, broken,
};
use maintenance_mode_object_store::ObjectStoreBackend;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

struct Memory;

#[async_trait]
impl Harness for Memory {
    async fn place(&self) -> Result<Box<dyn Place>, Broken> {
        Ok(Box::new(Store(Arc::new(InMemory::new()))))
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            hints_within: None,
            corrupt: true,
            vanish: true,
            server_back_within: None,
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

struct Store(Arc<InMemory>);

const KEY: &str = "shop/state";

fn said(error: &object_store::Error) -> Broken {
    broken(error.to_string())
}

#[async_trait]
impl Place for Store {
    async fn open(&self) -> Result<Arc<dyn StateBackend>, Broken> {
        let store: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&self.0);
        Ok(Arc::new(ObjectStoreBackend::new(
            store,
            KEY,
            "a test's memory",
        )))
    }

    async fn corrupt(&self) -> Result<Vec<u8>, Broken> {
        let bytes = b"maintenance-mode-state 1 len=9 crc32c=00000000\n{}".to_vec();
        let put = self.0.put(&Path::from(KEY), bytes.clone().into()).await;
        put.map_err(|error| said(&error))?;
        Ok(bytes)
    }

    async fn keeps(&self, old: &[u8], sentence: &str) -> Result<bool, Broken> {
        let key = sentence.rsplit(' ').next().unwrap_or_default();
        let kept = self
            .0
            .get(&Path::from(key))
            .await
            .map_err(|error| said(&error))?;
        Ok(kept.bytes().await.map_err(|error| said(&error))? == old)
    }

    async fn vanish(&self) -> Result<(), Broken> {
        self.0
            .delete(&Path::from(KEY))
            .await
            .map_err(|error| said(&error))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise() -> Result<(), Broken> {
    let report = backend_suite::run(&Memory).await?;
    print!("{report}");
    assert_eq!(
        (report.kept.len(), report.not_applicable.len()),
        (17, 6),
        "{report}"
    );
    Ok(())
}
