//! A watch on the record that ends rather than hangs.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Message, StatusCode, Subscriber};
use futures_util::StreamExt;
use maintenance_mode::backend::{HintReceiver, HintSender};
use serde_json::json;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::bucket::Bucket;
use crate::session::Session;
use crate::trouble::Trouble;

/// How often the server says that it is there while nothing changes.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Two heartbeats and some time for a slow network.
const SILENCE: Duration = Duration::from_millis(4500);

/// Several changes at once cause one read.
const SETTLE: Duration = Duration::from_millis(2);

/// The server forgets a watch that nobody listens to after this time.
const FORGET_AFTER: Duration = Duration::from_secs(10);

/// Ends the task with the subscription.
struct Ends(AbortHandle);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Watches a key. When this returns, the server has confirmed the watch.
///
/// A task of its own listens, so that it makes no difference whether anybody waits for the hints meanwhile.
pub(crate) async fn watch(
    session: &Arc<Session>,
    bucket: &Bucket,
    key: &str,
) -> Result<HintReceiver, Trouble> {
    let inbox = session.client.new_inbox();
    let lost = |error: async_nats::SubscribeError| Trouble::Unsent(error.to_string());
    let messages = session
        .client
        .subscribe(inbox.clone())
        .await
        .map_err(lost)?;
    let subject = bucket.subject(key);
    let name = inbox.replace('.', "-");
    let consumer = json!({
        "stream_name": bucket.stream,
        "config": {
            "name": name,
            "deliver_subject": inbox,
            "deliver_policy": "new",
            "ack_policy": "none",
            "replay_policy": "instant",
            "filter_subject": subject,
            "headers_only": true,
            "idle_heartbeat": nanoseconds(HEARTBEAT),
            "inactive_threshold": nanoseconds(FORGET_AFTER),
            "num_replicas": 1,
            "mem_storage": true,
        },
    });
    let verb = format!("CONSUMER.CREATE.{}.{name}.{subject}", bucket.stream);
    session
        .api::<_, serde_json::Value>(&verb, &consumer)
        .await?;
    let sender = HintSender::new();
    let receiver = sender.subscribe(SETTLE);
    let session = Arc::clone(session);
    let task = tokio::spawn(async move {
        let why = tokio::select! {
            () = session.lost() => "the connection was lost",
            why = listen(messages, &sender) => why,
        };
        tracing::debug!("the watch on the state ended: {why}");
    });
    Ok(receiver.keep(Ends(task.abort_handle())))
}

/// Turns messages into hints until something is not as it should be.
async fn listen(mut messages: Subscriber, sender: &HintSender) -> &'static str {
    let mut seen = 0_u64;
    loop {
        let message = match timeout(SILENCE, messages.next()).await {
            Ok(Some(message)) => message,
            Ok(None) => return "the subscription ended",
            Err(_) => return "the server was silent for two heartbeats",
        };
        match message.status {
            None => {
                seen += 1;
                sender.hint();
            }
            Some(StatusCode::IDLE_HEARTBEAT) => {
                let sent = last_delivered(&message).unwrap_or(seen);
                if sent != seen {
                    // Something that the server sent did not arrive.
                    seen = sent;
                    sender.hint();
                }
            }
            Some(_) => return "the server ended it",
        }
    }
}

/// How many messages the server has sent for this watch so far.
fn last_delivered(message: &Message) -> Option<u64> {
    let headers = message.headers.as_ref()?;
    headers.get("Nats-Last-Consumer")?.as_str().parse().ok()
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
