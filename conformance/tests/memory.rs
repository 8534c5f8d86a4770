//! The memory backend keeps the promises.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use maintenance_mode::backend::{MemoryBackend, StateBackend};
use maintenance_mode_conformance::backend_suite::{self, Abilities, Broken, Harness, Load, Place};
use maintenance_mode_conformance::presence_suite;

struct Memory;

#[async_trait]
impl Harness for Memory {
    async fn place(&self) -> Result<Box<dyn Place>, Broken> {
        Ok(Box::new(Store(MemoryBackend::new())))
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            hints_within: Some(Duration::from_millis(250)),
            corrupt: false,
            vanish: false,
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

struct Store(MemoryBackend);

#[async_trait]
impl Place for Store {
    async fn open(&self) -> Result<Arc<dyn StateBackend>, Broken> {
        Ok(Arc::new(self.0.clone()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise() -> Result<(), Broken> {
    let report = backend_suite::run(&Memory).await?;
    print!("{report}");
    assert_eq!(
        (report.kept.len(), report.not_applicable.len()),
        (18, 5),
        "{report}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise_of_presence() -> Result<(), Broken> {
    presence_suite::run(|| Memory.place()).await
}

#[test]
fn it_says_that_it_is_for_one_process() {
    assert!(
        MemoryBackend::new()
            .describe()
            .contains("of this process only")
    );
}
