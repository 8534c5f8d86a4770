//! The live switch: verbs, forced modes, and what holds when the backend does not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use maintenance_mode::backend::{BackendError, Hints, MemoryBackend, StateBackend};
use maintenance_mode::live::{Author, Control, ControlError, Freshness};
use maintenance_mode::policy::config::{Initial, OnStale, SiteConfig};
use maintenance_mode::state::{ActivationId, Epoch, Message, Version, Window};
use maintenance_mode::{
    Config, Facts, Maintenance, Mode, Off, On, Policy, SiteName, Snapshot, State, Timestamp,
};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn quick() -> Config {
    let mut config = Config::new();
    config.state.poll_seconds = 0.05;
    config
}

fn site() -> SiteName {
    SiteName::default()
}

fn is_open(maintenance: &Maintenance) -> bool {
    maintenance.decide(&Facts::new("GET", "/")).is_allowed()
}

/// Waits until something holds, for at most five seconds.
async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

async fn start(
    config: Config,
    backend: &Arc<dyn StateBackend>,
) -> Result<Maintenance, Box<dyn std::error::Error>> {
    Ok(Maintenance::builder(config)
        .backend(Arc::clone(backend))
        .start()
        .await?)
}

fn memory() -> Arc<dyn StateBackend> {
    Arc::new(MemoryBackend::new())
}

#[tokio::test]
async fn on_and_off_take_effect_before_they_return_and_are_written_down() -> Outcome {
    let maintenance = start(quick(), &memory()).await?;
    assert!(is_open(&maintenance) && maintenance.is_quiet());
    let order = On::default()
        .message(Some(Message::new("back soon")?))
        .why(Some("OPS-1".to_owned()));
    let changed = maintenance.on(&[site()], &order).await?;
    assert!(changed.changed && !is_open(&maintenance) && !maintenance.is_quiet());
    let status = maintenance.status();
    assert_eq!((status.revision, status.sites[0].mode), (1, Mode::Offline));
    assert_eq!(
        status.sites[0].message.as_ref().map(Message::as_str),
        Some("back soon")
    );

    let again = maintenance.on(&[site()], &order).await?;
    assert!(!again.changed, "an order that is fulfilled stores nothing");
    assert_eq!(maintenance.status().revision, 1);

    maintenance.off(&[site()], &Off::default()).await?;
    assert!(is_open(&maintenance) && maintenance.is_quiet());
    let history = maintenance.history();
    let steps: Vec<_> = history
        .iter()
        .map(|c| (c.revision, c.from, c.to, c.why.as_deref()))
        .collect();
    assert_eq!(
        steps,
        [
            (1, Mode::Online, Mode::Offline, Some("OPS-1")),
            (2, Mode::Offline, Mode::Online, None)
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_second_instance_follows_and_is_told() -> Outcome {
    let backend = memory();
    let (one, two) = (
        start(quick(), &backend).await?,
        start(quick(), &backend).await?,
    );
    let mut changes = two.changed();
    one.on(&[site()], &On::mode(Mode::ReadOnly)).await?;
    let seen = tokio::time::timeout(Duration::from_secs(2), changes.next()).await?;
    let seen = seen
        .and_then(|snapshot| snapshot.site(&site(), now()))
        .map(|view| view.mode);
    assert_eq!(seen, Some(Mode::ReadOnly));
    assert!(two.decide(&Facts::new("GET", "/")).is_allowed());
    assert!(!two.decide(&Facts::new("POST", "/")).is_allowed());
    Ok(())
}

#[tokio::test]
async fn an_order_that_cannot_be_meant_is_refused_and_changes_nothing() -> Outcome {
    let backend = memory();
    let shop: SiteName = "shop".parse()?;
    let config = quick().site(
        shop.clone(),
        SiteConfig {
            mode: Some(Mode::Online),
            ..SiteConfig::hosts(["shop.example"])
        },
    );
    let maintenance = start(config, &backend).await?;
    let pinned = maintenance.on(&[site(), shop], &On::default()).await;
    assert!(
        matches!(
            pinned,
            Err(ControlError::Pinned {
                mode: Mode::Online,
                ..
            })
        ),
        "{pinned:?}"
    );
    let unknown = maintenance.on(&["blog".parse()?], &On::default()).await;
    assert!(unknown.is_err_and(|e| e.to_string().contains("known: default, shop")));
    let online = maintenance.on(&[site()], &On::mode(Mode::Online)).await;
    assert!(matches!(online, Err(ControlError::OnlineIsOff)));
    let passed = maintenance
        .on(
            &[site()],
            &On::default().ends_at(Some(Timestamp::from_millis(0))),
        )
        .await;
    assert!(matches!(passed, Err(ControlError::EndPassed { .. })));
    assert_eq!(backend.load().await?, None);
    Ok(())
}

#[tokio::test]
async fn nobody_ends_another_ones_maintenance() -> Outcome {
    let maintenance = start(quick(), &memory()).await?;
    let other = ActivationId::from_bits(7);
    maintenance.on(&[site()], &On::default()).await?;
    let refused = maintenance
        .off(&[site()], &Off::default().if_activation(Some(other)))
        .await;
    assert!(matches!(refused, Err(ControlError::OtherActivation { .. })) && !is_open(&maintenance));
    let own = maintenance.status().sites[0].activation;
    maintenance.on(&[site()], &On::mode(Mode::ReadOnly)).await?;
    assert_eq!(
        maintenance.status().sites[0].activation,
        own,
        "a change of mode is the same period"
    );
    maintenance
        .off(&[site()], &Off::default().if_activation(own))
        .await?;
    assert!(is_open(&maintenance));
    maintenance.on(&[site()], &On::default()).await?;
    assert_ne!(
        maintenance.status().sites[0].activation,
        own,
        "a new period has a new id"
    );
    Ok(())
}

/// Stores a window beside whatever is there.
async fn plan(backend: &Arc<dyn StateBackend>, window: Window) -> Outcome {
    let stored = backend.load().await?;
    let expected = stored.as_ref().map(State::version);
    let mut state = stored.unwrap_or_else(|| State::new(Epoch::from_bits(9)));
    state.revision += 1;
    state.site_mut(&site()).windows.push(window);
    Ok(backend.compare_and_set(expected, &state).await?)
}

#[tokio::test]
async fn a_window_begins_and_ends_by_itself() -> Outcome {
    let backend = memory();
    let maintenance = start(quick(), &backend).await?;
    let start = now().after(Duration::from_millis(400));
    let end = start.after(Duration::from_millis(400));
    plan(
        &backend,
        Window::new(
            ActivationId::from_bits(1),
            Mode::Offline,
            Some(start),
            Some(end),
        )?,
    )
    .await?;
    eventually("the plan is known", || {
        maintenance.status().sites[0].next_change_at == Some(start)
    })
    .await;
    assert!(is_open(&maintenance));
    eventually("closed", || !is_open(&maintenance)).await;
    assert!(now() >= start);
    assert_eq!(maintenance.status().sites[0].ends_at, Some(end));
    eventually("open", || is_open(&maintenance)).await;
    assert!(now() >= end);
    eventually("quiet", || maintenance.is_quiet()).await;
    Ok(())
}

#[tokio::test]
async fn off_in_a_window_opens_the_site_and_says_so() -> Outcome {
    let backend = memory();
    plan(
        &backend,
        Window::new(ActivationId::from_bits(1), Mode::Offline, None, None)?,
    )
    .await?;
    let maintenance = start(quick(), &backend).await?;
    assert!(!is_open(&maintenance));
    let changed = maintenance.off(&[site()], &Off::default()).await?;
    assert!(is_open(&maintenance));
    assert!(
        changed.notes.concat().contains("disabled the window"),
        "{:?}",
        changed.notes
    );
    let state = backend.load().await?.ok_or("no state")?;
    assert_eq!(
        state.sites[&site()].windows.len(),
        1,
        "it is kept, only disabled"
    );
    Ok(())
}

#[tokio::test]
async fn a_forced_mode_gives_everything_back_also_after_a_panic() -> Outcome {
    let backend = memory();
    let end = now().after(Duration::from_secs(3600));
    plan(
        &backend,
        Window::new(ActivationId::from_bits(1), Mode::ReadOnly, None, Some(end))?,
    )
    .await?;
    let maintenance = start(quick(), &backend).await?;
    let before = backend.load().await?.ok_or("no state")?.sites;

    let seen = maintenance
        .force(&site(), Mode::Online, async {
            maintenance.decide(&Facts::new("POST", "/")).is_allowed()
        })
        .await?;
    assert!(seen, "online inside, in spite of the window");
    assert!(!maintenance.decide(&Facts::new("POST", "/")).is_allowed());

    let panicking = tokio::spawn({
        let maintenance = maintenance.clone();
        async move {
            maintenance
                .force(&site(), Mode::Offline, async {
                    assert!(
                        maintenance.is_quiet(),
                        "this must fail: the site is closed inside"
                    );
                })
                .await
        }
    });
    assert!(panicking.await.is_err_and(|e| e.is_panic()));
    let after = backend.load().await?.ok_or("no state")?.sites;
    assert_eq!(after[&site()].windows, before[&site()].windows);
    assert_eq!(
        (after[&site()].mode, after[&site()].activation),
        (Mode::Online, None)
    );
    Ok(())
}

#[tokio::test]
async fn a_forced_mode_that_is_dropped_is_put_back_and_another_switch_stands() -> Outcome {
    let maintenance = start(quick(), &memory()).await?;
    let site_name = site();
    let never = maintenance.force(&site_name, Mode::Offline, std::future::pending::<()>());
    assert!(
        tokio::time::timeout(Duration::from_millis(300), never)
            .await
            .is_err()
    );
    eventually("put back", || is_open(&maintenance)).await;

    let guard = maintenance.force_guard(&site(), Mode::Offline).await?;
    maintenance.off(&[site()], &Off::default()).await?;
    maintenance.on(&[site()], &On::mode(Mode::ReadOnly)).await?;
    guard.end().await?;
    assert_eq!(
        maintenance.status().sites[0].mode,
        Mode::ReadOnly,
        "somebody else's switch stands"
    );
    Ok(())
}

/// A backend that can be told to fail, to hang, to panic, or to give something else.
#[derive(Debug)]
struct Moody {
    inner: MemoryBackend,
    mood: AtomicU8,
}

const WELL: u8 = 0;
const FAILING: u8 = 1;
const PANICKING: u8 = 2;
const EMPTY: u8 = 3;

impl Moody {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryBackend::new(),
            mood: AtomicU8::new(WELL),
        })
    }

    fn set(&self, mood: u8) {
        self.mood.store(mood, Ordering::SeqCst);
    }
}

#[async_trait]
impl StateBackend for Moody {
    fn describe(&self) -> String {
        "moody:".to_owned()
    }

    async fn load(&self) -> Result<Option<State>, BackendError> {
        match self.mood.load(Ordering::SeqCst) {
            FAILING => Err(BackendError::Unavailable {
                place: "moody".to_owned(),
                what: "gone".to_owned(),
                source: None,
            }),
            PANICKING => panic!("the backend panics on purpose"),
            EMPTY => Ok(None),
            _ => self.inner.load().await,
        }
    }

    async fn compare_and_set(
        &self,
        expected: Option<Version>,
        next: &State,
    ) -> Result<(), BackendError> {
        self.inner.compare_and_set(expected, next).await
    }

    async fn repair(&self, next: &State) -> Result<Option<String>, BackendError> {
        self.inner.repair(next).await
    }

    async fn subscribe(&self) -> Result<Box<dyn Hints>, BackendError> {
        Err(BackendError::Unsupported {
            backend: "moody",
            what: "hint",
        })
    }
}

#[tokio::test]
async fn the_last_known_state_holds_while_the_backend_fails_panics_or_loses_it() -> Outcome {
    let moody = Moody::new();
    let backend: Arc<dyn StateBackend> = Arc::<Moody>::clone(&moody);
    let maintenance = start(quick(), &backend).await?;
    maintenance.on(&[site()], &On::default()).await?;
    for mood in [FAILING, PANICKING, EMPTY] {
        moody.set(mood);
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert!(!is_open(&maintenance), "mood {mood}");
        if mood == FAILING {
            assert_eq!(maintenance.status().freshness, Freshness::Stale);
            assert!(
                maintenance
                    .status()
                    .error
                    .is_some_and(|e| e.contains("gone"))
            );
        }
        moody.set(WELL);
        eventually("well again", || {
            let status = maintenance.status();
            status.freshness == Freshness::Fresh && status.error.is_none()
        })
        .await;
    }
    maintenance.off(&[site()], &Off::default()).await?;
    assert!(is_open(&maintenance));
    Ok(())
}

#[tokio::test]
async fn a_reset_record_is_recognised_by_its_epoch() -> Outcome {
    let backend = memory();
    let maintenance = start(quick(), &backend).await?;
    for _ in 0..3 {
        maintenance.on(&[site()], &On::default()).await?;
        maintenance.off(&[site()], &Off::default()).await?;
    }
    let mut reset = State::new(Epoch::from_bits(77));
    reset.revision = 1;
    reset.site_mut(&site()).mode = Mode::Offline;
    backend.repair(&reset).await?;
    eventually("the lower revision of a new epoch is applied", || {
        !is_open(&maintenance)
    })
    .await;
    assert_eq!(
        maintenance.status().epoch.as_deref(),
        Some("000000000000004d")
    );
    Ok(())
}

#[tokio::test]
async fn what_holds_without_any_state_is_configured() -> Outcome {
    let moody = Moody::new();
    moody.set(FAILING);
    let backend: Arc<dyn StateBackend> = Arc::<Moody>::clone(&moody);
    let with = |initial| {
        let mut config = quick();
        config.state.initial = initial;
        config
    };
    let online = start(with(Initial::Online), &backend).await?;
    assert!(is_open(&online));
    assert_eq!(online.status().freshness, Freshness::NeverRead);
    let offline = start(with(Initial::Offline), &backend).await?;
    assert!(!is_open(&offline));
    assert!(start(with(Initial::RefuseStart), &backend).await.is_err());
    moody.set(WELL);
    eventually("the first read opens it", || is_open(&offline)).await;
    Ok(())
}

#[tokio::test]
async fn a_stale_state_gives_way_if_so_configured() -> Outcome {
    let moody = Moody::new();
    let backend: Arc<dyn StateBackend> = Arc::<Moody>::clone(&moody);
    let mut config = quick();
    config.state.on_stale = OnStale::Offline;
    let maintenance = start(config, &backend).await?;
    assert!(is_open(&maintenance));
    moody.set(FAILING);
    eventually("closed when stale", || !is_open(&maintenance)).await;
    moody.set(WELL);
    eventually("open when read again", || is_open(&maintenance)).await;
    Ok(())
}

#[tokio::test]
async fn the_last_known_good_state_outlives_the_process() -> Outcome {
    let folder = tempfile::tempdir()?;
    let kept = folder
        .path()
        .join("last.json")
        .to_string_lossy()
        .into_owned();
    let moody = Moody::new();
    let backend: Arc<dyn StateBackend> = Arc::<Moody>::clone(&moody);
    let mut config = quick();
    config.state.last_known_good = Some(kept.clone());
    let first = start(config.clone(), &backend).await?;
    first.on(&[site()], &On::default()).await?;
    eventually("kept", || {
        std::fs::read_to_string(&kept).is_ok_and(|text| text.contains("\"offline\""))
    })
    .await;
    drop(first);
    moody.set(FAILING);
    let second = start(config, &backend).await?;
    assert!(!is_open(&second));
    Ok(())
}

#[tokio::test]
async fn the_watcher_ends_with_the_last_handle() -> Outcome {
    let moody = Moody::new();
    let backend: Arc<dyn StateBackend> = Arc::<Moody>::clone(&moody);
    let maintenance = start(quick(), &backend).await?;
    drop(backend);
    drop(maintenance);
    for _ in 0..500 {
        if Arc::strong_count(&moody) == 1 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("somebody still holds the backend");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_given_at_once_are_all_carried_out() -> Outcome {
    let backend = memory();
    let sites: Vec<SiteName> = (0..16)
        .map(|n| format!("s{n}").parse())
        .collect::<Result<_, _>>()?;
    let mut config = quick();
    for name in &sites {
        config = config.site(name.clone(), SiteConfig::hosts([format!("{name}.example")]));
    }
    let policy = Arc::new(Policy::compile(config)?);
    let orders: Vec<_> = sites
        .iter()
        .map(|name| {
            let control = Control::new(Arc::clone(&backend), Arc::clone(&policy));
            let name = name.clone();
            tokio::spawn(async move {
                control
                    .on(&[name], &On::default(), &Author::default(), now())
                    .await
            })
        })
        .collect();
    for order in orders {
        assert!(order.await??.changed);
    }
    let state = backend.load().await?.ok_or("no state")?;
    assert_eq!(state.revision, 16);
    let snapshot = Snapshot::new(policy, Some(Arc::new(state)));
    assert!(sites.iter().all(|name| {
        snapshot
            .site(name, now())
            .is_some_and(|view| view.mode == Mode::Offline)
    }));
    Ok(())
}

#[tokio::test]
async fn repair_makes_a_new_record_in_the_mode_that_the_operator_names() -> Outcome {
    let backend = memory();
    let maintenance = start(quick(), &backend).await?;
    maintenance
        .control()
        .repair(Mode::Offline, &Author::default(), now())
        .await?;
    eventually("closed", || !is_open(&maintenance)).await;
    assert!(
        maintenance
            .history()
            .last()
            .is_some_and(|change| change.revision == 1)
    );
    Ok(())
}
