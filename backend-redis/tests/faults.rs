//! The server's death, its silence and its return, as a live site meets them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use maintenance_mode::backend::StateBackend;
use maintenance_mode::presence::LeaseKind;
use maintenance_mode::{Config, Facts, Maintenance, State};
use maintenance_mode_conformance::backend_suite::Broken;
use maintenance_mode_conformance::backend_suite::records::{advance, after, create};
use support::Redis;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The poll interval of a live site, and when it must have caught up after hints were lost.
const POLL: Duration = Duration::from_secs(2);
const CAUGHT_UP: Duration = Duration::from_millis(2000 * 12 / 10 + 1000);

/// By when a subscription that fell silent has been replaced.
const SUBSCRIBED_AGAIN: Duration = Duration::from_secs(5);

/// No call takes longer, with room for a busy machine.
const BOUND: Duration = Duration::from_millis(3500);

/// A way to the server that can fall silent without a word: connections stay open and nothing passes.
struct Way {
    port: u16,
    /// Connections made before this number are cut off.
    silent_below: Arc<AtomicU64>,
    made: Arc<AtomicU64>,
}

impl Way {
    async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent_below, made) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let way = Self {
            port,
            silent_below: Arc::clone(&silent_below),
            made: Arc::clone(&made),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = made.fetch_add(1, Ordering::SeqCst);
                let silent_below = Arc::clone(&silent_below);
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
                        return;
                    };
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    let there = pass(from_client, to_server, number, Arc::clone(&silent_below));
                    tokio::join!(there, pass(from_server, to_client, number, silent_below));
                });
            }
        });
        way
    }

    /// Every connection that there is falls silent; new ones work.
    fn silence_present(&self) {
        let made = self.made.load(Ordering::SeqCst);
        self.silent_below.store(made, Ordering::SeqCst);
    }

    /// New connections are silent too.
    fn silence_all(&self) {
        self.silent_below.store(u64::MAX, Ordering::SeqCst);
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    number: u64,
    silent_below: Arc<AtomicU64>,
) {
    let mut buffer = vec![0; 65_536];
    loop {
        let Ok(read) = from.read(&mut buffer).await else {
            return;
        };
        if number < silent_below.load(Ordering::SeqCst) {
            // Not even the end of a connection is told.
            std::future::pending::<()>().await;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

async fn live(url: &str) -> Maintenance {
    let mut config = Config::new();
    config.state.poll_seconds = POLL.as_secs_f64();
    Maintenance::builder(config)
        .backend(support::open(url).unwrap())
        .start()
        .await
        .unwrap()
}

fn revision(maintenance: &Maintenance) -> u64 {
    maintenance.status().revision
}

/// How long until the site applies a revision.
async fn applied(maintenance: &Maintenance, wanted: u64, within: Duration) -> Duration {
    let began = Instant::now();
    while revision(maintenance) < wanted {
        assert!(
            began.elapsed() < within,
            "revision {wanted} is not applied within {within:?}: {:?}",
            maintenance.status()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_ends_the_subscription_and_calls_in_bounded_time() -> Result<(), Broken>
{
    let redis = Redis::start(&[])?;
    let way = Way::to(redis.port()).await;
    let backend = support::open(&way.url())?;
    let state = create(&*backend).await?;
    let mut hints = backend.subscribe().await?;
    way.silence_all();
    let began = Instant::now();
    assert!(backend.load().await.is_err(), "a silent server is read");
    let next = after(&state);
    let written = backend.compare_and_set(Some(state.version()), &next).await;
    assert!(written.is_err(), "a silent server is written to");
    let presence = backend.presence()?;
    let counted = presence.count(LeaseKind::Session, None);
    assert!(counted.await.is_err(), "a silent server counts");
    assert!(began.elapsed() < 3 * BOUND, "{:?}", began.elapsed());
    let ended = tokio::time::timeout(Duration::from_secs(5), async {
        while hints.next().await.is_some() {}
    });
    assert!(ended.await.is_ok(), "a silent subscription goes on");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_site_catches_up_after_hints_were_lost_in_silence() -> Result<(), Broken> {
    let redis = Redis::start(&[])?;
    let way = Way::to(redis.port()).await;
    let direct = redis.open("")?;
    let mut state = create(&*direct).await?;
    let maintenance = live(&way.url()).await;
    for until_subscribed in [Duration::from_millis(500), SUBSCRIBED_AGAIN] {
        tokio::time::sleep(until_subscribed).await;
        state = advance(&*direct, &state).await?;
        applied(&maintenance, state.revision, Duration::from_secs(1)).await;

        way.silence_present();
        state = advance(&*direct, &state).await?;
        let took = applied(&maintenance, state.revision, CAUGHT_UP).await;
        println!("caught up after {took:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_holds_nobody_up_and_is_followed_again() -> Result<(), Broken> {
    let redis = Redis::start(&[])?;
    let direct = redis.open("")?;
    create(&*direct).await?;
    let maintenance = live(&redis.url("")).await;
    redis.signal("STOP")?;
    let began = Instant::now();
    assert!(direct.load().await.is_err(), "a stopped server is read");
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    for _ in 0..100 {
        assert!(!maintenance.decide(&Facts::new("GET", "/")).is_allowed());
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    redis.signal("CONT")?;
    let state = again(&*direct).await?;
    applied(&maintenance, state.revision, CAUGHT_UP).await;
    Ok(())
}

/// Stores what follows, as soon as the server takes it.
async fn again(backend: &dyn StateBackend) -> Result<State, Broken> {
    loop {
        if let Ok(Some(present)) = backend.load().await
            && let Ok(next) = advance(backend, &present).await
        {
            return Ok(next);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_serves_while_the_server_is_dead_and_is_right_two_seconds_after_its_return()
-> Result<(), Broken> {
    let redis = Redis::start(&[])?;
    let direct = redis.open("")?;
    create(&*direct).await?;
    let maintenance = live(&redis.url("")).await;
    assert_eq!(revision(&maintenance), 1);
    let serving = Arc::new(AtomicBool::new(true));
    let requests = tokio::spawn({
        let (maintenance, serving) = (maintenance.clone(), Arc::clone(&serving));
        async move {
            let (mut asked, mut wrong) = (0_u64, 0_u64);
            while serving.load(Ordering::SeqCst) {
                let began = Instant::now();
                let closed = !maintenance.decide(&Facts::new("GET", "/")).is_allowed();
                wrong += u64::from(!closed || began.elapsed() > Duration::from_millis(500));
                asked += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            (asked, wrong)
        }
    });
    redis.kill()?;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(revision(&maintenance), 1, "the last known state is kept");
    redis.start_again()?;
    let back = Instant::now();
    let state = again(&*direct).await?;
    applied(&maintenance, state.revision, Duration::from_secs(2)).await;
    println!("right {:?} after the server's return", back.elapsed());
    assert!(
        back.elapsed() < Duration::from_secs(2),
        "{:?}",
        back.elapsed()
    );
    // Hints are back as well, and not only the next poll.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let state = advance(&*direct, &state).await?;
    applied(&maintenance, state.revision, Duration::from_millis(500)).await;
    serving.store(false, Ordering::SeqCst);
    let (asked, wrong) = requests.await.unwrap();
    assert!(asked > 1000 && wrong == 0, "{wrong} of {asked} went wrong");
    Ok(())
}
