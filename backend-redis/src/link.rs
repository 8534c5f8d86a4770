//! The one connection for commands: made at first use, proved alive before it is trusted, replaced when lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Pipeline, ServerError, Value};
use tokio::time::{Instant, timeout, timeout_at};

use crate::source::Source;
use crate::survey::survey;
use crate::trouble::Trouble;

/// A connection that answered this recently is trusted without a question.
const FRESH: Duration = Duration::from_millis(500);

/// How long a connection may take to prove that it is alive.
const PROOF: Duration = Duration::from_millis(800);

/// How often a cluster may send us on in one call.
const MOVES: usize = 3;

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) place: String,
    source: Source,
    connect_within: Duration,
    answer_within: Duration,
    slot: tokio::sync::Mutex<Option<Open>>,
    surveyed: AtomicBool,
}

/// A connection, and when it last answered.
#[derive(Clone)]
struct Open {
    connection: MultiplexedConnection,
    answered: Arc<Mutex<Instant>>,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").finish_non_exhaustive()
    }
}

impl Open {
    fn note_answer(&self) {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn is_fresh(&self) -> bool {
        let answered = *self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.elapsed() < FRESH
    }

    /// Any answer will do, even a refusal.
    async fn is_alive(&mut self) -> bool {
        if self.is_fresh() {
            return true;
        }
        let mut ping = redis::pipe();
        ping.cmd("PING");
        let asked = timeout(PROOF, self.connection.send_packed_commands(&ping, 0, 1)).await;
        let alive = matches!(asked, Ok(Ok(_)));
        if alive {
            self.note_answer();
        }
        alive
    }
}

impl Link {
    pub(crate) fn new(
        place: String,
        source: Source,
        connect_within: Duration,
        answer_within: Duration,
    ) -> Self {
        Self {
            place,
            source,
            connect_within,
            answer_within,
            slot: tokio::sync::Mutex::new(None),
            surveyed: AtomicBool::new(false),
        }
    }

    /// Asks something that may be asked twice without harm.
    pub(crate) async fn ask(&self, questions: &Pipeline) -> Result<Vec<Value>, Trouble> {
        let deadline = Instant::now() + self.answer_within;
        match self.ask_until(questions, deadline).await {
            // The connection died under the question; there is time for another.
            Err(Trouble::Lost(_)) if Instant::now() < deadline => {
                self.ask_until(questions, deadline).await
            }
            outcome => outcome,
        }
    }

    /// Asks something that must not happen twice.
    pub(crate) async fn ask_once(&self, questions: &Pipeline) -> Result<Vec<Value>, Trouble> {
        self.ask_until(questions, Instant::now() + self.answer_within)
            .await
    }

    /// A connection of its own for a subscription, within the time for connecting.
    pub(crate) async fn pubsub(&self) -> Result<redis::aio::PubSub, Trouble> {
        let connect: BoxFuture<'_, _> = Box::pin(async {
            let client = self.client().await?;
            client.get_async_pubsub().await.map_err(Trouble::connecting)
        });
        let connected = timeout(self.connect_within, connect).await;
        let outcome = connected.unwrap_or_else(|_| Err(self.too_slow()));
        if outcome.is_err() {
            self.source.forget_moved();
        }
        outcome
    }

    pub(crate) fn answer_within(&self) -> Duration {
        self.answer_within
    }

    async fn ask_until(
        &self,
        questions: &Pipeline,
        deadline: Instant,
    ) -> Result<Vec<Value>, Trouble> {
        for _ in 0..MOVES {
            let mut open = self.open(deadline).await?;
            let asked = open
                .connection
                .send_packed_commands(questions, 0, questions.len());
            let answers = match timeout_at(deadline, asked).await {
                Ok(Ok(answers)) => answers,
                Ok(Err(error)) => {
                    self.forget(&open).await;
                    return Err(Trouble::Lost(format!("the connection was lost: {error}")));
                }
                Err(_) => {
                    self.forget(&open).await;
                    let limit = self.answer_within;
                    return Err(Trouble::Lost(format!("no answer within {limit:?}")));
                }
            };
            open.note_answer();
            match first_refusal(&answers) {
                // The first was not done, so none was: they all are about one slot.
                Some(error) if error.code() == "MOVED" => {
                    self.forget(&open).await;
                    if !self.source.follow(error.details().unwrap_or_default()) {
                        return Err(Trouble::refused(error));
                    }
                }
                Some(error) => {
                    // Another server may be the right one by now, or another password.
                    if matches!(error.code(), "READONLY" | "MASTERDOWN" | "NOAUTH") {
                        self.forget(&open).await;
                        self.source.forget_moved();
                    }
                    return Ok(answers);
                }
                None => return Ok(answers),
            }
        }
        Err(Trouble::Refused(
            "the nodes of the cluster send each other the key; look at `CLUSTER NODES`".to_owned(),
        ))
    }

    async fn open(&self, deadline: Instant) -> Result<Open, Trouble> {
        let open = async {
            let mut slot = self.slot.lock().await;
            if let Some(open) = &mut *slot
                && open.is_alive().await
            {
                return Ok(open.clone());
            }
            *slot = None;
            // Without its type: the client's future is too deep for the compiler's limits elsewhere.
            let connect: BoxFuture<'_, _> = Box::pin(self.connect());
            let connected = timeout(self.connect_within, connect).await;
            let outcome = connected.unwrap_or_else(|_| Err(self.too_slow()));
            match outcome {
                Ok(open) => Ok(slot.insert(open).clone()),
                Err(trouble) => {
                    self.source.forget_moved();
                    Err(trouble)
                }
            }
        };
        timeout_at(deadline, open)
            .await
            .unwrap_or_else(|_| Err(self.too_slow()))
    }

    async fn connect(&self) -> Result<Open, Trouble> {
        let client = self.client().await?;
        // Every wait has a limit here already, and one for the whole call.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(Trouble::connecting)?;
        if !self.surveyed.swap(true, Ordering::Relaxed) {
            survey(&mut connection, &self.place).await;
        }
        Ok(Open {
            connection,
            answered: Arc::new(Mutex::new(Instant::now())),
        })
    }

    async fn client(&self) -> Result<Client, Trouble> {
        install_cryptography();
        self.source.client().await.map_err(Trouble::connecting)
    }

    fn too_slow(&self) -> Trouble {
        Trouble::unreached(format!(
            "no connection within {:?}; is the address right, and does a firewall drop the packets?",
            self.connect_within.min(self.answer_within)
        ))
    }

    /// Unless somebody else has replaced it already.
    async fn forget(&self, lost: &Open) {
        let mut slot = self.slot.lock().await;
        if slot
            .as_ref()
            .is_some_and(|open| Arc::ptr_eq(&open.answered, &lost.answered))
        {
            *slot = None;
        }
    }
}

/// The client takes the cryptography of the process, which is not decided where two crates bring one each.
fn install_cryptography() {
    #[cfg(feature = "tls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may have been faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

fn first_refusal(answers: &[Value]) -> Option<&ServerError> {
    match answers.first() {
        Some(Value::ServerError(error)) => Some(error),
        _ => None,
    }
}

/// The next answer, unless it is a refusal.
pub(crate) fn take(answers: &mut impl Iterator<Item = Value>) -> Result<Value, Trouble> {
    match answers.next() {
        Some(Value::ServerError(error)) => Err(Trouble::refused(&error)),
        Some(value) => Ok(value),
        None => Err(Trouble::Lost("an answer is missing".to_owned())),
    }
}

/// An answer of the expected form.
pub(crate) fn expect<T: redis::FromRedisValue>(value: Value) -> Result<T, Trouble> {
    redis::from_redis_value(value)
        .map_err(|error| Trouble::Lost(format!("the server's answer makes no sense: {error}")))
}
