//! One connection, from its beginning to its loss.
//!
//! A connection that was lost is never mended: whoever needs one makes a new one. So no request waits in the client
//! for a server's return and counts long after its caller was told that nobody knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_nats::client::{Request, RequestErrorKind};
use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event, HeaderMap, Message, ServerAddr, ServerError,
    StatusCode,
};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;

use crate::options::{Login, NatsOptions};
use crate::tls;
use crate::trouble::{NO_STREAM, Refusal, Trouble, no_jetstream};

/// How long one server may take to let us in.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Two of these without an answer, and the connection is taken for dead.
const PING_EVERY: Duration = Duration::from_secs(2);

/// Makes connections, one at a time, and keeps the one that works.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) options: NatsOptions,
    pub(crate) place: String,
    current: Mutex<Current>,
}

#[derive(Debug, Default)]
struct Current {
    session: Option<Arc<Session>>,
    failed: Option<(Instant, Trouble)>,
}

impl Link {
    pub(crate) fn new(options: NatsOptions) -> Self {
        let place = options.place();
        Self {
            options,
            place,
            current: Mutex::default(),
        }
    }

    /// The connection, made anew if there is none.
    pub(crate) async fn session(&self) -> Result<Arc<Session>, Trouble> {
        let asked = Instant::now();
        let mut current = self.current.lock().await;
        if let Some(session) = current
            .session
            .as_ref()
            .filter(|session| !session.is_lost())
        {
            return Ok(Arc::clone(session));
        }
        current.session = None;
        if let Some((at, trouble)) = &current.failed
            && *at >= asked
        {
            // It failed while this caller waited for its turn; trying again would make each waiter wait longer.
            return Err(trouble.clone());
        }
        match Session::connect(&self.options).await {
            Ok(session) => {
                let session = Arc::new(session);
                current.session = Some(Arc::clone(&session));
                Ok(session)
            }
            Err(trouble) => {
                current.failed = Some((Instant::now(), trouble.clone()));
                Err(trouble)
            }
        }
    }
}

/// What the server said outside of answers.
#[derive(Debug, Default)]
struct News {
    lost: Option<String>,
    denials: u64,
    denied: String,
    /// Answers cannot come back: every request is concerned, now and later.
    inbox_denied: Option<String>,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    news: Arc<watch::Sender<News>>,
    timeout: Duration,
    pub(crate) state: Known,
    pub(crate) leases: Known,
    pub(crate) sessions: Known,
}

/// What was found out about a bucket since the connection was made.
#[derive(Debug, Default)]
pub(crate) struct Known {
    fits: AtomicBool,
    filled: AtomicBool,
}

impl Known {
    /// It is there and can be used.
    pub(crate) fn fits(&self) -> bool {
        self.fits.load(Ordering::Relaxed)
    }

    pub(crate) fn set_fits(&self) {
        self.fits.store(true, Ordering::Relaxed);
    }

    /// It has had an entry.
    pub(crate) fn filled(&self) -> bool {
        self.filled.load(Ordering::Relaxed)
    }

    pub(crate) fn set_filled(&self) {
        self.filled.store(true, Ordering::Relaxed);
    }

    /// It is not there, or not as it was.
    pub(crate) fn forget(&self) {
        self.fits.store(false, Ordering::Relaxed);
        self.filled.store(false, Ordering::Relaxed);
    }
}

impl Session {
    async fn connect(options: &NatsOptions) -> Result<Self, Trouble> {
        let servers = addresses(options)?;
        let news = Arc::new(watch::Sender::new(News::default()));
        let hear = Arc::clone(&news);
        let connect = logged_in(options)
            .await?
            .name("maintenance-mode")
            .connection_timeout(CONNECT_WITHIN)
            .ping_interval(PING_EVERY)
            .request_timeout(None)
            .subscription_capacity(1 << 17)
            .ignore_discovered_servers()
            // One round, in which the first connection is made. There is no way to forbid a second.
            .max_reconnects(servers.len())
            .tls_client_config(tls::config(options.ca.as_deref())?)
            .require_tls(options.tls)
            .event_callback(move |event| {
                let hear = Arc::clone(&hear);
                async move { hear.send_modify(|news| news.note(event)) }
            });
        let whole = CONNECT_WITHIN * u32::try_from(servers.len().min(3)).unwrap_or(3);
        let client = match timeout(whole, connect.connect(servers)).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(unreachable(&error)),
            Err(_) => {
                return Err(Trouble::Unsent(format!(
                    "no connection within {} s; does the server run, and is its port right?",
                    whole.as_secs()
                )));
            }
        };
        Ok(Self {
            client,
            news,
            timeout: options.timeout,
            state: Known::default(),
            leases: Known::default(),
            sessions: Known::default(),
        })
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.news.borrow().lost.is_some()
    }

    /// Waits for the end of the connection.
    pub(crate) async fn lost(&self) {
        // The sender lives as long as this does.
        let _ = self
            .news
            .subscribe()
            .wait_for(|news| news.lost.is_some())
            .await;
    }

    pub(crate) fn lose(&self, why: &str) {
        self.news.send_modify(|news| {
            news.lost.get_or_insert_with(|| why.to_owned());
        });
    }

    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sends a request and waits for its answer; `None`: nobody is there to answer.
    pub(crate) async fn request(
        &self,
        subject: &str,
        headers: Option<HeaderMap>,
        payload: Bytes,
    ) -> Result<Option<Message>, Trouble> {
        let mut news = self.news.subscribe();
        let before = {
            let news = news.borrow();
            if let Some(why) = &news.lost {
                return Err(Trouble::Unsent(why.clone()));
            }
            news.denials
        };
        let mut request = Request::new().payload(payload);
        if let Some(headers) = headers {
            request = request.headers(headers);
        }
        let bad_news = news.wait_for(|news| news.concerns(subject, before));
        let answer = timeout(
            self.timeout,
            self.client.send_request(subject.to_owned(), request),
        );
        let answer = tokio::select! {
            biased;
            answer = answer => answer,
            news = bad_news => return Err(news.map_or_else(
                |_| Trouble::Unanswered(LOST.to_owned()),
                |news| news.trouble(subject),
            )),
        };
        match answer {
            Ok(Ok(message)) if message.status == Some(StatusCode::NO_RESPONDERS) => Ok(None),
            Ok(Ok(message)) => Ok(Some(message)),
            Ok(Err(error)) => match error.kind() {
                RequestErrorKind::NoResponders => Ok(None),
                RequestErrorKind::MaxPayloadExceeded => Err(Trouble::Unsent(format!(
                    "the message is larger than the server takes ({} bytes); raise its `max_payload`, or remove \
                     windows, exemptions or sites that are no longer needed",
                    self.client.max_payload()
                ))),
                RequestErrorKind::InvalidSubject => Err(Trouble::Unsent(error.to_string())),
                RequestErrorKind::TimedOut | RequestErrorKind::Other => {
                    self.lose(LOST);
                    Err(Trouble::Unanswered(LOST.to_owned()))
                }
            },
            Err(_) => {
                let why = format!("no answer within {} s", self.timeout.as_secs_f32());
                self.lose(&why);
                Err(Trouble::Unanswered(why))
            }
        }
    }

    /// A request to JetStream's API, as `STREAM.INFO.KV_x`.
    pub(crate) async fn api<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        verb: &str,
        body: &B,
    ) -> Result<T, Trouble> {
        let body = serde_json::to_vec(body).map_err(|error| Trouble::Unsent(error.to_string()))?;
        let subject = format!("$JS.API.{verb}");
        match self.request(&subject, None, body.into()).await? {
            Some(message) => understood(&message.payload),
            None => Err(no_jetstream()),
        }
    }

    /// A message for a stream, which acknowledges it.
    pub(crate) async fn publish<T: DeserializeOwned>(
        &self,
        subject: &str,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<T, Trouble> {
        match self.request(subject, Some(headers), payload).await? {
            Some(message) => understood(&message.payload),
            None => Err(Trouble::Refused(Refusal {
                number: NO_STREAM,
                description: "there is no such bucket".to_owned(),
            })),
        }
    }
}

const LOST: &str = "the connection was lost";

impl News {
    fn note(&mut self, event: Event) {
        match event {
            Event::Disconnected | Event::Closed => {
                self.lost.get_or_insert_with(|| LOST.to_owned());
            }
            Event::ServerError(ServerError::Other(said))
                if said.contains("ermissions Violation") =>
            {
                tracing::warn!("the NATS server says: {said}");
                self.denials += 1;
                if said.contains("_INBOX.") {
                    self.inbox_denied = Some(said.clone());
                }
                self.denied = said;
            }
            other => tracing::debug!("NATS: {other}"),
        }
    }

    fn concerns(&self, subject: &str, before: u64) -> bool {
        self.lost.is_some()
            || self.inbox_denied.is_some()
            || (self.denials > before && self.denied.contains(&format!("\"{subject}\"")))
    }

    fn trouble(&self, subject: &str) -> Trouble {
        if let Some(said) = &self.inbox_denied {
            return Trouble::Unsent(format!(
                "the server says: {said}; allow this user to subscribe to `_INBOX.>`"
            ));
        }
        match &self.lost {
            Some(why) => Trouble::Unanswered(why.clone()),
            None => Trouble::Unsent(format!(
                "the server says: {}; allow this user to publish to `{subject}`",
                self.denied
            )),
        }
    }
}

/// JetStream answers with an error or with what was asked for.
fn understood<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Trouble> {
    #[derive(serde::Deserialize)]
    struct Failed {
        error: Option<Refusal>,
    }
    let strange = |error: serde_json::Error| {
        Trouble::Unanswered(format!("the server's answer is not understood: {error}"))
    };
    let failed: Failed = serde_json::from_slice(payload).map_err(strange)?;
    match failed.error {
        Some(refusal) => Err(Trouble::Refused(refusal)),
        None => serde_json::from_slice(payload).map_err(strange),
    }
}

fn addresses(options: &NatsOptions) -> Result<Vec<ServerAddr>, Trouble> {
    let scheme = if options.tls { "tls" } else { "nats" };
    let parse = |server: &String| {
        format!("{scheme}://{server}").parse().map_err(|error| {
            Trouble::Unsent(format!("`{server}` is not a server's address: {error}"))
        })
    };
    options.servers.iter().map(parse).collect()
}

async fn logged_in(options: &NatsOptions) -> Result<ConnectOptions, Trouble> {
    let connect = ConnectOptions::new();
    Ok(match &options.login {
        Login::Nobody => connect,
        Login::User(name, password) => connect.user_and_password(name.clone(), password.clone()),
        Login::Token(token) => connect.token(token.clone()),
        Login::Credentials(file) => connect.credentials_file(file).await.map_err(|error| {
            Trouble::Unsent(format!(
                "the credentials in {} cannot be used: {error}; `creds` names a file that `nsc generate creds` wrote",
                file.display()
            ))
        })?,
    })
}

fn unreachable(error: &async_nats::ConnectError) -> Trouble {
    Trouble::Unsent(match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            format!(
                "the server does not let us in: {error}; is the name and password, the token or `creds` right?"
            )
        }
        ConnectErrorKind::Tls => format!(
            "{error}; is the server's certificate signed by someone this machine trusts, or by `ca`?"
        ),
        ConnectErrorKind::Dns => format!("{error}; is the server's name right?"),
        _ => format!("{error}; does the server run, and is its port right?"),
    })
}
