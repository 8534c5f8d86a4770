//! Instances say where they stand, and whoever has switched waits for all of them.
#![cfg(feature = "live")]

use std::sync::Arc;
use std::time::Duration;

use maintenance_mode::backend::{MemoryBackend, StateBackend};
use maintenance_mode::presence::{
    Holder, InstanceReport, Lease, LeaseKey, LeaseKind, PresenceBackend, REMEMBERED_FOR, Standing,
    Waited, instances, wait_until_settled,
};
use maintenance_mode::state::Version;
use maintenance_mode::{Config, Maintenance, On, SiteName};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Several instances on one store.
struct Fleet {
    instances: Vec<Maintenance>,
    presence: Arc<dyn PresenceBackend>,
}

async fn fleet(size: usize) -> Result<Fleet, Box<dyn std::error::Error>> {
    let backend = MemoryBackend::new();
    let presence = backend.presence()?;
    let backend: Arc<dyn StateBackend> = Arc::new(backend);
    let mut instances = Vec::new();
    for _ in 0..size {
        let builder = Maintenance::builder(Config::new()).backend(Arc::clone(&backend));
        instances.push(builder.start().await?);
    }
    Ok(Fleet {
        instances,
        presence,
    })
}

impl Fleet {
    /// Waits until so many instances are known.
    async fn all_known(&self, count: usize) -> Outcome {
        for _ in 0..500 {
            if instances(&*self.presence).await?.len() == count {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("{:?}", instances(&*self.presence).await?).into())
    }

    async fn close(&self) -> Result<Version, Box<dyn std::error::Error>> {
        let sites = [SiteName::default()];
        let changed = self.instances[0].on(&sites, &On::default()).await?;
        Ok(changed.version)
    }

    async fn wait(&self, wanted: Version, within: u64) -> Waited {
        wait_until_settled(
            &*self.presence,
            wanted,
            Duration::from_millis(within),
            |_| (),
        )
        .await
    }
}

#[tokio::test]
async fn closed_means_that_every_instance_is_and_nothing_from_before_runs() -> Outcome {
    let fleet = fleet(12).await?;
    fleet.all_known(12).await?;
    let running = fleet.instances[7].in_flight().enter();
    let wanted = fleet.close().await?;
    match fleet.wait(wanted, 1500).await {
        Waited::Outstanding(outstanding) => {
            let [(instance, standing)] = &outstanding[..] else {
                return Err(format!("{outstanding:?}").into());
            };
            assert_eq!(*standing, Standing::Draining { in_flight: 1 });
            let label = instance.label();
            assert!(label.ends_with(&std::process::id().to_string()), "{label}");
        }
        other => return Err(format!("{other:?}").into()),
    }
    // Requests that come after the change are not waited for.
    let exempt = fleet.instances[3].in_flight().enter();
    drop(running);
    let waited = fleet.wait(wanted, 5000).await;
    assert!(
        matches!(waited, Waited::Settled { instances: 12 }),
        "{waited:?}"
    );
    drop(exempt);
    Ok(())
}

#[tokio::test]
async fn an_instance_that_ends_takes_leave() -> Outcome {
    let mut fleet = fleet(3).await?;
    fleet.all_known(3).await?;
    fleet.instances.pop();
    fleet.all_known(2).await?;
    let wanted = fleet.close().await?;
    let waited = fleet.wait(wanted, 5000).await;
    assert!(
        matches!(waited, Waited::Settled { instances: 2 }),
        "{waited:?}"
    );
    Ok(())
}

/// What a killed instance leaves behind.
async fn dead(fleet: &Fleet, note: &str, left: Duration) -> Outcome {
    let key = LeaseKey {
        kind: LeaseKind::Instance,
        site: SiteName::default(),
        name: "dead".parse()?,
    };
    let lease = Lease::new(key, Holder::from_bits(7), left)?.with_note(note)?;
    fleet.presence.renew(&[lease]).await?;
    Ok(())
}

#[tokio::test]
async fn an_instance_that_fell_silent_is_named_and_never_taken_for_done() -> Outcome {
    let fleet = fleet(2).await?;
    let wanted = fleet.close().await?;
    let done = InstanceReport::default();
    let mut note = serde_json::to_value(&done)?;
    note["applied"] = serde_json::to_value(wanted)?;
    note["settled"] = note["applied"].clone();
    dead(
        &fleet,
        &note.to_string(),
        REMEMBERED_FOR - Duration::from_secs(60),
    )
    .await?;
    fleet.all_known(3).await?;
    match fleet.wait(wanted, 1000).await {
        Waited::Outstanding(outstanding) => {
            let standing: Vec<_> = outstanding.iter().map(|(_, standing)| standing).collect();
            assert_eq!(standing, [&Standing::Silent]);
            assert!(outstanding[0].0.silent_for > Duration::from_secs(50));
        }
        other => return Err(format!("{other:?}").into()),
    }
    Ok(())
}

#[tokio::test]
async fn an_instance_that_is_forgotten_meanwhile_stays_outstanding() -> Outcome {
    let fleet = fleet(1).await?;
    let wanted = fleet.close().await?;
    // Silent for long, and forgotten in a second.
    dead(&fleet, "{}", Duration::from_secs(1)).await?;
    fleet.all_known(2).await?;
    let waited = fleet.wait(wanted, 2500).await;
    assert_eq!(instances(&*fleet.presence).await?.len(), 1);
    assert!(
        matches!(&waited, Waited::Outstanding(who) if who[0].1 == Standing::Silent),
        "{waited:?}"
    );
    Ok(())
}

#[tokio::test]
async fn without_any_instance_nothing_is_known() -> Outcome {
    let backend = MemoryBackend::new();
    let wanted = Version {
        epoch: maintenance_mode::state::Epoch::from_bits(1),
        revision: 1,
    };
    let presence = backend.presence()?;
    let waited = wait_until_settled(&*presence, wanted, Duration::from_millis(200), |_| ()).await;
    assert!(matches!(waited, Waited::Nobody), "{waited:?}");
    Ok(())
}
