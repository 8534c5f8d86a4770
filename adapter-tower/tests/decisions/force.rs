//! A mode for the time of a block, seen through the layer.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use maintenance_mode::{Config, Mode, SiteName};
use maintenance_mode_tower::MaintenanceLayer;

use super::{close, maintenance, site, status};

#[tokio::test]
async fn d20_a_mode_is_forced_for_a_block_and_put_back_even_after_a_panic() {
    let maintenance = maintenance(Config::new()).await;
    let site = site(MaintenanceLayer::new(maintenance.clone()));
    let default = SiteName::default();
    let block = async { (status(&site, "/").await, status(&site, "/nowhere").await) };
    let forced = maintenance.force(&default, Mode::Offline, block).await;
    assert_eq!(forced.unwrap(), (503, 503));
    assert_eq!(status(&site, "/").await, 200);

    let block = async {
        assert_eq!(status(&site, "/").await, 503);
        std::panic::resume_unwind(Box::new("a block that panics"));
    };
    let panics = maintenance.force(&default, Mode::Offline, block);
    assert!(AssertUnwindSafe(panics).catch_unwind().await.is_err());
    assert_eq!(status(&site, "/").await, 200);

    close(&maintenance, Mode::Offline).await;
    let block = status(&site, "/");
    let opened = maintenance.force(&default, Mode::Online, block).await;
    assert_eq!((opened.unwrap(), status(&site, "/").await), (200, 503));
}

#[tokio::test]
async fn d20_a_guard_holds_a_mode_until_it_goes() {
    let maintenance = maintenance(Config::new()).await;
    let site = site(MaintenanceLayer::new(maintenance.clone()));
    let default = SiteName::default();
    let guard = maintenance.force_guard(&default, Mode::Offline).await;
    assert_eq!(status(&site, "/").await, 503);
    guard.unwrap().end().await.unwrap();
    assert_eq!(status(&site, "/").await, 200);

    let guard = maintenance.force_guard(&default, Mode::Offline).await;
    assert_eq!(status(&site, "/").await, 503);
    drop(guard.unwrap());
    // A dropped guard puts the mode back in a task of its own.
    let opens = async {
        while status(&site, "/").await != 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let opened = tokio::time::timeout(Duration::from_secs(5), opens).await;
    assert!(opened.is_ok());
}
