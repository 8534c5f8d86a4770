//! The channel on which changes are announced.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use maintenance_mode::backend::{HintReceiver, HintSender};
use redis::aio::{PubSubSink, PubSubStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::link::Link;
use crate::trouble::Trouble;

/// How long the channel may be silent before the server is asked for a sign of life, and how long that may take.
const SILENCE: Duration = Duration::from_secs(2);
const SIGN_OF_LIFE: Duration = Duration::from_millis(1500);

/// Ends the task, and with it the connection.
struct Ending(JoinHandle<()>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Subscribes on a connection of its own. When this returns, the server has confirmed.
pub(crate) async fn subscribe(link: &Arc<Link>, channel: &str) -> Result<HintReceiver, Trouble> {
    let (mut sink, stream) = link.pubsub().await?.split();
    match timeout(link.answer_within(), sink.subscribe(channel)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(Trouble::connecting(error)),
        Err(_) => {
            return Err(Trouble::unreached(
                "the server does not confirm a subscription",
            ));
        }
    }
    let hints = HintSender::new();
    let receiver = hints.subscribe(Duration::ZERO);
    Ok(receiver.keep(Ending(tokio::spawn(follow(sink, stream, hints)))))
}

/// Ends when the connection does, or when the server gives no sign of life.
async fn follow(mut sink: PubSubSink, mut stream: PubSubStream, hints: HintSender) {
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(_) => hints.hint(),
                None => return,
            },
            () = sleep(SILENCE) => {
                let sign = timeout(SIGN_OF_LIFE, sink.ping::<redis::Value>()).await;
                if !matches!(sign, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}
