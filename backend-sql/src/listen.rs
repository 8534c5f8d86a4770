//! Hints from PostgreSQL: `LISTEN` on a connection of its own.
//!
//! A pooler that gives each transaction another connection swallows `LISTEN` and says that all is well. So every
//! subscription also listens on a channel that nobody else knows, sends itself a notification there over another
//! connection, and believes in its hints only when that arrives. The same, again and again, finds a connection that
//! died in silence.

use std::sync::Arc;
use std::time::Duration;

use maintenance_mode::backend::{HintReceiver, HintSender};
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::{Instant, timeout, timeout_at};

use crate::backend::Store;
use crate::link::{Target, Value};
use crate::links::Purpose;
use crate::task::{Ended, until_reachable};
use crate::trouble::{Kind, Trouble};

/// How long a notification to oneself may take.
const ECHO_WITHIN: Duration = Duration::from_secs(2);

/// Listens; when this returns, the server has confirmed it and a notification has come through.
pub(crate) async fn subscribe(store: &Arc<Store>) -> Result<HintReceiver, Trouble> {
    let channels = Channels::new(store)?;
    let sender = HintSender::new();
    let hints = sender.subscribe(Duration::ZERO);
    let mut listener = connect(store).await?;
    // Only a listener that hears itself listens to what others hear too: a pooler would leave that to connections
    // of strangers.
    listen(store, &mut listener, &channels.own).await?;
    probe(store, &mut listener, &channels, &sender).await?;
    listen(store, &mut listener, &channels.changed).await?;
    let task = tokio::spawn(follow(Arc::clone(store), listener, channels, sender));
    Ok(hints.keep(Ended(task.abort_handle())))
}

struct Channels {
    changed: String,
    own: String,
}

impl Channels {
    fn new(store: &Store) -> Result<Self, Trouble> {
        let mut bits = [0; 8];
        getrandom::fill(&mut bits)
            .map_err(|error| Trouble::new(Kind::Other, format!("no random bits: {error}")))?;
        let prefix = &store.options().prefix;
        Ok(Self {
            changed: prefix.table("changed"),
            own: prefix.table(&format!("probe_{:016x}", u64::from_le_bytes(bits))),
        })
    }
}

async fn connect(store: &Store) -> Result<PgListener, Trouble> {
    #[allow(irrefutable_let_patterns)]
    let Target::Postgres(options) = &store.options().target else {
        return Err(Trouble::new(Kind::Other, "only PostgreSQL listens"));
    };
    // sqlx listens on the connection of a pool only; this one has just that connection, and it is never renewed.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .test_before_acquire(false)
        .acquire_timeout(store.options().connect_timeout)
        .connect_lazy_with((**options).clone());
    let listener = PgListener::connect_with(&pool).await;
    let mut listener = listener.map_err(|error| Trouble::connecting(error, store.dialect()))?;
    listener.ignore_pool_close_event(true);
    // A connection that was lost ends the subscription; in the gap anything may have been missed.
    listener.eager_reconnect(false);
    Ok(listener)
}

async fn listen(store: &Store, listener: &mut PgListener, channel: &str) -> Result<(), Trouble> {
    match timeout(store.options().timeout, listener.listen(channel)).await {
        Ok(listening) => listening.map_err(|error| Trouble::of(error, store.dialect())),
        Err(_) => Err(Trouble::new(Kind::Late, "LISTEN was not answered")),
    }
}

/// Sends a notification and waits for it. Hints that come meanwhile are passed on.
async fn probe(
    store: &Store,
    listener: &mut PgListener,
    channels: &Channels,
    sender: &HintSender,
) -> Result<(), Trouble> {
    notify(store, &channels.own).await?;
    let ends = Instant::now() + ECHO_WITHIN;
    loop {
        match timeout_at(ends, listener.try_recv()).await {
            Ok(Ok(Some(notification))) if notification.channel() == channels.own => return Ok(()),
            Ok(Ok(Some(_))) => sender.hint(),
            Ok(Ok(None)) => return Err(Trouble::new(Kind::Lost, "while listening")),
            Ok(Err(error)) => return Err(Trouble::of(error, store.dialect())),
            Err(_) => return Err(swallowed("did not arrive")),
        }
    }
}

/// Sends a notification, on another connection than the one that listens.
async fn notify(store: &Store, channel: &str) -> Result<(), Trouble> {
    let mut tx = store.links.begin(Purpose::Write).await?;
    let values = vec![Value::text(channel)];
    let sent = tx.rows("SELECT 1 FROM pg_notify(?, '')", values).await;
    let sent = match sent {
        Ok(_) => tx.commit().await,
        Err(trouble) => Err(trouble),
    };
    sent.map_err(|trouble| {
        // The sender heard it, who never listened: a pooler gave him the connection that does.
        if trouble.what.contains("NotificationResponse") {
            swallowed("arrived at another connection")
        } else {
            trouble
        }
    })
}

fn swallowed(what: &str) -> Trouble {
    Trouble::new(
        Kind::Other,
        format!(
            "LISTEN was accepted and a NOTIFY {what}: a pooler such as PgBouncer in transaction mode swallows it, or \
             the connection is dead; changes are seen by polling only. Name the server itself or a pool in session \
             mode in the URL"
        ),
    )
}

async fn follow(
    store: Arc<Store>,
    mut listener: PgListener,
    channels: Channels,
    sender: HintSender,
) {
    let lost = loop {
        let probe_at = Instant::now() + store.options().probe_interval;
        match timeout_at(probe_at, listener.try_recv()).await {
            Ok(Ok(Some(_))) => sender.hint(),
            Ok(Ok(None)) => break "the connection was closed".to_owned(),
            Ok(Err(error)) => break error.to_string(),
            Err(_) => {
                if let Err(trouble) = probe(&store, &mut listener, &channels, &sender).await {
                    break trouble.what;
                }
            }
        }
    };
    tracing::debug!("the subscription ends: {lost}");
    drop(listener);
    until_reachable(&store).await;
}
