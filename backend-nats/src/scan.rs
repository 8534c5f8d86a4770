//! Reading all entries of some keys, in batches that the reader asks for.

use std::time::Duration;

use async_nats::{Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use crate::bucket::{Bucket, milliseconds};
use crate::hints::nanoseconds;
use crate::session::Session;
use crate::trouble::Trouble;

/// Entries of one batch.
const BATCH: u64 = 10_000;

/// The server forgets a reader that asks for nothing after this time.
const FORGET_AFTER: Duration = Duration::from_secs(10);

/// One entry, as a reader gets it.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    /// The key.
    pub(crate) key: &'a str,
    pub(crate) data: &'a [u8],
    pub(crate) sequence: u64,
    /// When the server took it, in milliseconds since 1970.
    pub(crate) at: i64,
}

#[derive(Deserialize)]
struct Reader {
    created: String,
    num_pending: u64,
}

/// What the server says beside each message, in the subject of its answer.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    sequence: u64,
    delivered: u64,
    at: i64,
    pending: u64,
}

/// Shows every entry whose key matches the filter, and returns the server's time at the beginning. A key that is
/// written meanwhile may be shown twice, and is shown at least once.
pub(crate) async fn scan(
    session: &Session,
    bucket: &Bucket,
    filter: &str,
    mut show: impl FnMut(Seen<'_>) + Send,
) -> Result<i64, Trouble> {
    let inbox = session.client.new_inbox();
    let name = inbox.replace('.', "-");
    let subject = bucket.subject(filter);
    let reader = json!({
        "stream_name": bucket.stream,
        "config": {
            "name": name,
            "deliver_policy": "all",
            "ack_policy": "none",
            "replay_policy": "instant",
            "filter_subject": subject,
            "inactive_threshold": nanoseconds(FORGET_AFTER),
            "num_replicas": 1,
            "mem_storage": true,
        },
    });
    let verb = format!("CONSUMER.CREATE.{}.{name}.{subject}", bucket.stream);
    let reader: Reader = session.api(&verb, &reader).await?;
    let now = milliseconds(&reader.created)?;
    if reader.num_pending > 0 {
        let unsent = |error: async_nats::SubscribeError| Trouble::Unsent(error.to_string());
        let mut messages = session
            .client
            .subscribe(inbox.clone())
            .await
            .map_err(unsent)?;
        read_all(session, bucket, &name, &inbox, &mut messages, &mut show).await?;
    }
    // Without an answer: the server forgets it by itself otherwise.
    let delete = format!("$JS.API.CONSUMER.DELETE.{}.{name}", bucket.stream);
    let _ = session.client.publish(delete, Bytes::new()).await;
    Ok(now)
}

async fn read_all(
    session: &Session,
    bucket: &Bucket,
    name: &str,
    inbox: &str,
    messages: &mut Subscriber,
    show: &mut (impl FnMut(Seen<'_>) + Send),
) -> Result<(), Trouble> {
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{name}", bucket.stream);
    let prefix = bucket.subject("");
    let mut delivered = 0;
    loop {
        let ask = Bytes::from(json!({ "batch": BATCH, "no_wait": true }).to_string());
        session
            .client
            .publish_with_reply(next.clone(), inbox.to_owned(), ask)
            .await
            .map_err(|error| Trouble::Unsent(error.to_string()))?;
        for _ in 0..BATCH {
            let message = following(session, messages).await?;
            match message.status {
                None => {}
                // There are no more: some were removed while the others were read.
                Some(StatusCode::NOT_FOUND | StatusCode::TIMEOUT) => return Ok(()),
                Some(status) => {
                    return Err(Trouble::Unanswered(format!(
                        "reading the leases was ended by the server: {status} {}",
                        message.description.unwrap_or_default()
                    )));
                }
            }
            let place = message.reply.as_deref().and_then(place).ok_or_else(|| {
                Trouble::Unanswered("the server's message does not say where it lies".to_owned())
            })?;
            delivered += 1;
            if place.delivered != delivered {
                return Err(Trouble::Unanswered(
                    "some leases were lost on the way while they were read".to_owned(),
                ));
            }
            if let Some(key) = message.subject.strip_prefix(prefix.as_str()) {
                show(Seen {
                    key,
                    data: &message.payload,
                    sequence: place.sequence,
                    at: place.at,
                });
            }
            if place.pending == 0 {
                return Ok(());
            }
        }
    }
}

async fn following(session: &Session, messages: &mut Subscriber) -> Result<Message, Trouble> {
    let next = tokio::select! {
        next = timeout(session.timeout(), messages.next()) => next,
        () = session.lost() => Ok(None),
    };
    match next {
        Ok(Some(message)) => Ok(message),
        Ok(None) => Err(Trouble::Unanswered("the connection was lost".to_owned())),
        Err(_) => Err(Trouble::Unanswered(format!(
            "the leases did not come within {} s; may this user publish to `$JS.API.CONSUMER.MSG.NEXT.>`?",
            session.timeout().as_secs_f32()
        ))),
    }
}

/// `$JS.ACK.STREAM.CONSUMER.TIMES.SEQUENCE.DELIVERED.NANOSECONDS.PENDING`, or with domain and account before the
/// stream and more after it (ADR-15).
fn place(reply: &str) -> Option<Place> {
    let tokens: Vec<&str> = reply.strip_prefix("$JS.ACK.")?.split('.').collect();
    let from = match tokens.len() {
        7 => 3,
        9.. => 5,
        _ => return None,
    };
    let number = |token: usize| tokens.get(from + token)?.parse::<u64>().ok();
    Some(Place {
        sequence: number(0)?,
        delivered: number(1)?,
        at: i64::try_from(number(2)? / 1_000_000).ok()?,
        pending: number(3)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_place_are_read() {
        let expected = Some(Place {
            sequence: 20,
            delivered: 3,
            at: 1_795_212_000_123,
            pending: 7,
        });
        let plain = "$JS.ACK.KV_x.reader.1.20.3.1795212000123456789.7";
        let long = "$JS.ACK._.HASH.KV_x.reader.1.20.3.1795212000123456789.7.token";
        assert_eq!((place(plain), place(long)), (expected, place(plain)));
        for strange in [
            "",
            "_INBOX.x",
            "$JS.ACK.KV_x.reader.1.20",
            "$JS.ACK.a.b.c.d.e.f.g",
        ] {
            assert_eq!(place(strange), None, "{strange}");
        }
    }
}
