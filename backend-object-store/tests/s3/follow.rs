//! A live switch that follows the store while the store dies and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use maintenance_mode::backend::BackendRegistry;
use maintenance_mode::live::{Author, Control};
use maintenance_mode::{Config, Facts, Maintenance, Off, On, Policy, SiteName, Timestamp};
use maintenance_mode_conformance::object_server::WRITER;
use maintenance_mode_object_store::open_with;

use crate::process::Process;
use crate::support::{backend_as, url};
use maintenance_mode_conformance::object_server::variables;

const POLL: f64 = 0.5;

fn is_open(maintenance: &Maintenance) -> bool {
    maintenance.decide(&Facts::new("GET", "/")).is_allowed()
}

/// An instance that follows this URL.
async fn instance(url: &str) -> Maintenance {
    let mut registry = BackendRegistry::builtin();
    registry.register("s3", |url, _base| {
        Ok(Arc::new(open_with(url, variables(WRITER))?))
    });
    let mut config = Config::new().backend(url);
    config.state.poll_seconds = POLL;
    let builder = Maintenance::builder(config).registry(registry);
    builder.start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_store_fails_no_decision_and_its_return_is_noticed() {
    let server = Process::start().unwrap();
    let url = url(&server.endpoint(), "");
    let maintenance = instance(&url).await;
    let operator = Control::new(
        Arc::new(backend_as(WRITER, &url).unwrap()),
        Arc::new(Policy::builder(Config::new()).build().unwrap()),
    );
    let sites = [SiteName::default()];
    let author = Author::application();
    let now = || Timestamp::from(std::time::SystemTime::now());
    let bound = Duration::from_secs_f64(POLL * 1.2 + 1.0);
    let until = async |open: bool| {
        let began = Instant::now();
        while is_open(&maintenance) != open {
            assert!(began.elapsed() < bound, "not followed within {bound:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        began.elapsed()
    };

    operator
        .on(&sites, &On::default(), &author, now())
        .await
        .unwrap();
    until(false).await;

    // Requests go on being decided all the while, each at once and by the last state.
    let (stop, slowest) = (AtomicBool::new(false), AtomicU64::new(0));
    let requests = async {
        let mut decided = 0_u64;
        while !stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            assert!(!is_open(&maintenance), "the last known state is not kept");
            let took = u64::try_from(began.elapsed().as_micros()).unwrap();
            slowest.fetch_max(took, Ordering::Relaxed);
            decided += 1;
            tokio::task::yield_now().await;
        }
        decided
    };
    let outage = async {
        server.kill().unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(
            maintenance
                .status()
                .error
                .is_some_and(|why| why.contains("cannot be reached"))
        );
        stop.store(true, Ordering::Relaxed);
    };
    let (decided, ()) = tokio::join!(requests, outage);
    assert!(decided > 1000, "{decided}");
    assert!(
        slowest.load(Ordering::Relaxed) < 500_000,
        "a decision took {slowest:?} µs"
    );

    server.start_again().unwrap();
    operator
        .off(&sites, &Off::default(), &author, now())
        .await
        .unwrap();
    let took = until(true).await;
    println!("{decided} decisions while the store was dead; followed {took:?} after its return");
    assert!(maintenance.status().error.is_none());
}
