//! Closing and opening.

use maintenance_mode::{Config, Mode, SiteName};
use maintenance_mode_warp::{MaintenanceFilters, Verdict};

use super::{close, maintenance, open, request, site, status};

#[tokio::test]
async fn the_switch_is_seen_by_the_next_request() {
    let maintenance = maintenance(Config::new().allow_path("/open")).await;
    let site = site(&MaintenanceFilters::new(maintenance.clone()));
    assert_eq!(status(&site, "/").await, 200);
    close(&maintenance, Mode::Offline).await;
    assert_eq!(status(&site, "/").await, 503);
    let exempt = request("/open").reply(&site).await;
    let verdict = exempt.extensions().get::<Verdict>().unwrap();
    assert_eq!(
        (exempt.status().as_u16(), verdict.is_blocked()),
        (200, false)
    );
    assert_eq!(verdict.to_string(), "path");
    open(&maintenance).await;
    assert_eq!(status(&site, "/").await, 200);
}

#[tokio::test]
async fn d20_a_mode_is_forced_while_a_block_runs() {
    let maintenance = maintenance(Config::new()).await;
    let site = site(&MaintenanceFilters::new(maintenance.clone()));
    let name = SiteName::default();
    let within = maintenance
        .force(&name, Mode::Offline, status(&site, "/"))
        .await;
    assert_eq!(within.unwrap(), 503);
    assert_eq!(status(&site, "/").await, 200);

    let panics = tokio::spawn({
        let maintenance = maintenance.clone();
        async move {
            let block = async { std::panic::resume_unwind(Box::new("a block that panics")) };
            let forced: Result<(), _> = maintenance
                .force(&SiteName::default(), Mode::Offline, block)
                .await;
            drop(forced);
        }
    });
    assert!(panics.await.unwrap_err().is_panic());
    wait_until_open(&site).await;
}

#[tokio::test]
async fn d20_a_mode_is_forced_until_its_guard_is_gone() {
    let maintenance = maintenance(Config::new()).await;
    let site = site(&MaintenanceFilters::new(maintenance.clone()));
    let forced = maintenance
        .force_guard(&SiteName::default(), Mode::Offline)
        .await;
    assert_eq!(status(&site, "/").await, 503);
    drop(forced.unwrap());
    wait_until_open(&site).await;
}

/// What is put back by a drop is put back in the background.
async fn wait_until_open<F>(site: &F)
where
    F: warp::Filter<Extract = (warp::reply::Response,), Error = warp::Rejection> + 'static,
{
    for _ in 0..1000 {
        if status(site, "/").await == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("it stayed closed");
}
