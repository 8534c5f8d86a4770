//! The decision through the live handle, and what counting a request costs.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use maintenance_mode::{Facts, Maintenance, Mode};
use tokio::runtime::Runtime;

use super::decide::peer;
use super::rules::{self, Size};
use super::{Runner, Scenario};
use crate::Trouble;

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "live/online/none",
        prepare: || live(rules::NONE, None),
    },
    Scenario {
        name: "live/online/huge",
        prepare: || live(rules::HUGE, None),
    },
    Scenario {
        name: "live/offline/many",
        prepare: || live(rules::MANY, Some(Mode::Offline)),
    },
    Scenario {
        name: "live/in-flight",
        prepare: in_flight,
    },
    Scenario {
        name: "ten-liner/online",
        prepare: ten_liner,
    },
    Scenario {
        name: "nothing",
        prepare: nothing,
    },
];

/// Drives the watchers of every handle; the handles stay for as long as the program does.
static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .ok()
});

fn start(size: Size, pinned: Option<Mode>) -> Result<Maintenance, Trouble> {
    let mut config = rules::config(size).backend("memory:");
    config.mode = pinned;
    let runtime = RUNTIME.as_ref().ok_or("no runtime could be started")?;
    Ok(runtime.block_on(Maintenance::start(config))?)
}

fn live(size: Size, pinned: Option<Mode>) -> Result<Runner, Trouble> {
    let maintenance = start(size, pinned)?;
    let open = pinned.is_none();
    Ok(Box::new(move |count| {
        let facts = Facts::new("GET", "/section-7/articles/2031/leaf").peer(peer());
        for _ in 0..count {
            let decision = black_box(&maintenance).decide(black_box(&facts));
            assert_eq!(decision.is_allowed(), open);
        }
    }))
}

fn in_flight() -> Result<Runner, Trouble> {
    let maintenance = start(rules::NONE, None)?;
    Ok(Box::new(move |count| {
        for _ in 0..count {
            drop(black_box(maintenance.in_flight().enter()));
        }
    }))
}

/// The switch that people write by hand.
fn ten_liner() -> Result<Runner, Trouble> {
    let closed = Arc::new(AtomicBool::new(false));
    Ok(Box::new(move |count| {
        let facts = Facts::new("GET", "/section-7/articles/2031/leaf").peer(peer());
        for _ in 0..count {
            black_box(&facts);
            assert!(!black_box(&closed).load(Ordering::Relaxed));
        }
    }))
}

/// What the loop itself costs.
fn nothing() -> Result<Runner, Trouble> {
    Ok(Box::new(move |count| {
        let facts = Facts::new("GET", "/section-7/articles/2031/leaf").peer(peer());
        for _ in 0..count {
            black_box(&facts);
        }
    }))
}
