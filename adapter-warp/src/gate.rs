//! What decides; everything but the application.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use http::Response;
use http_body::Frame;
use http_body_util::StreamBody;
use maintenance_mode::http::{Announced, Drain, expire_cookies, response, settle};
use maintenance_mode::live::{InFlightGuard, Judgement, Pass};
use maintenance_mode::{
    Facts, Identity, Maintenance, Peer, Policy, Reason, RequestStatus, RouteOverride, Timestamp,
    Verdict,
};
use warp::{Buf, Rejection, Reply};

use crate::admissions::{Admissions, Kept, RequestId};
use crate::counted::until_the_body_ends;
use crate::handed::hand_on;
use crate::head::Head;

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
pub(crate) type HeadFn<T> = Arc<dyn Fn(Arc<Head>) -> BoxFuture<T> + Send + Sync>;

/// What the author fixed.
pub(crate) struct Settings {
    pub(crate) maintenance: Maintenance,
    pub(crate) identify: Option<HeadFn<Identity>>,
    pub(crate) log_out: Option<HeadFn<()>>,
    pub(crate) unix_socket: bool,
    pub(crate) test_mode: bool,
    pub(crate) drain: Option<Drain>,
    pub(crate) peer_was_missed: AtomicBool,
    pub(crate) admissions: Arc<Admissions>,
}

/// With the same settings, and nothing missed yet.
impl Clone for Settings {
    fn clone(&self) -> Self {
        Self {
            maintenance: self.maintenance.clone(),
            identify: self.identify.clone(),
            log_out: self.log_out.clone(),
            admissions: Arc::clone(&self.admissions),
            peer_was_missed: AtomicBool::new(false),
            ..*self
        }
    }
}

/// The settings, and what holds for the filter that it is put around.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) settings: Arc<Settings>,
    pub(crate) route_override: Option<RouteOverride>,
    pub(crate) control: bool,
}

/// A request that goes through the application. What it leaves goes first, the count last.
pub(crate) struct Passed {
    // Nothing while every site is simply open.
    epilogue: Option<Box<Epilogue>>,
    guard: InFlightGuard,
}

/// What is done to the response of an admitted request.
struct Epilogue {
    verdict: Verdict,
    /// Whose cookies expire, if the visitor was logged out.
    expires: Option<Arc<Policy>>,
    _kept: Kept,
}

/// An answer whose request has a body that nobody has read.
pub(crate) struct Unread {
    answer: Response<Bytes>,
    announced: Announced,
    drain: Option<Drain>,
}

impl Gate {
    /// Lets the request through if nothing at all is closed; otherwise it must be looked at.
    #[inline]
    pub(crate) fn pass_unseen(&self) -> Result<Passed, Rejection> {
        let maintenance = &self.settings.maintenance;
        // Counted before the flag is read: whoever closes the site and then counts misses nobody.
        let guard = maintenance.in_flight().enter();
        if self.route_override != Some(RouteOverride::ForceOn) && maintenance.is_quiet() {
            return Ok(Passed {
                epilogue: None,
                guard,
            });
        }
        // This one allocates nothing.
        Err(warp::reject::not_found())
    }

    /// Decides. An admitted request, and an answer that is ready, come as rejections: see
    /// [`handed`](crate::handed).
    pub(crate) async fn consider(self, head: Head) -> Result<Unread, Rejection> {
        self.settings.check_peer(&head);
        // Counted anew before the state is read, which is what admits it.
        let guard = self.settings.maintenance.in_flight().enter();
        let head = Arc::new(head);
        let judgement = match self.judge_unasked(&head) {
            Some(judgement) => judgement,
            None => self.judge(&head).await,
        };
        match judgement {
            Judgement::Pass(pass) => {
                if pass.logs_out.is_some() {
                    self.log_out(&head).await;
                }
                Err(hand_on(self.admitted(pass, head.id, guard)))
            }
            Judgement::Answer { answer, logs_out } => {
                drop(guard);
                if logs_out {
                    self.log_out(&head).await;
                }
                self.answer(answer, &head)
            }
        }
    }

    /// What becomes of the request, if that can be said without knowing who asks.
    fn judge_unasked(&self, head: &Head) -> Option<Judgement<Response<Bytes>>> {
        let settings = &self.settings;
        let can_identify = settings.identify.is_some();
        let maintenance = &settings.maintenance;
        maintenance.judge_unasked(&self.facts(head), can_identify, response)
    }

    /// Looks the visitor up and decides.
    async fn judge(&self, head: &Arc<Head>) -> Judgement<Response<Bytes>> {
        let identity = self.identify(head).await;
        identity.with_visitor(|visitor| {
            let facts = self.facts(head).visitor(visitor);
            self.settings.maintenance.judge(&facts, response)
        })
    }

    /// A body that nobody has read is for the next filter.
    fn answer(&self, answer: Response<Bytes>, head: &Head) -> Result<Unread, Rejection> {
        match Announced::of(head.version, &head.headers) {
            Announced::Nothing => Err(hand_on(answer.into_response())),
            announced => Ok(Unread {
                answer,
                announced,
                drain: self.settings.drain,
            }),
        }
    }

    /// What the request's site does now, and why the request was let through.
    pub(crate) fn status(&self, head: &Head) -> RequestStatus {
        if let Some(admission) = self.settings.admissions.of(head.id) {
            return admission.status(&head.facts(admission.peer()));
        }
        let snapshot = self.settings.maintenance.snapshot();
        let now = Timestamp::from(SystemTime::now());
        RequestStatus::new(&snapshot, &self.facts(head), now, Reason::Online)
    }

    fn admitted(&self, pass: Pass, id: RequestId, guard: InFlightGuard) -> Passed {
        let epilogue = Box::new(Epilogue {
            verdict: pass.admission.verdict().clone(),
            expires: pass.logs_out,
            _kept: self.settings.admissions.keep(id, pass.admission),
        });
        Passed {
            epilogue: Some(epilogue),
            guard,
        }
    }

    async fn identify(&self, head: &Arc<Head>) -> Identity {
        match &self.settings.identify {
            Some(identify) => identify(Arc::clone(head)).await,
            None => Identity::anonymous(),
        }
    }

    async fn log_out(&self, head: &Arc<Head>) {
        if let Some(log_out) = &self.settings.log_out {
            log_out(Arc::clone(head)).await;
        }
    }

    fn facts<'a>(&self, head: &'a Head) -> Facts<'a> {
        head.facts(self.settings.peer(head))
            .route_override(self.route_override)
            .control(self.control)
            .test(self.settings.test_mode)
    }
}

impl Settings {
    /// The connection's other end.
    fn peer(&self, head: &Head) -> Peer {
        match head.remote {
            None if self.unix_socket => Peer::Unix,
            remote => remote.map(|remote| remote.ip()).into(),
        }
    }

    /// Says once, at the first request that is looked at, that nobody tells the peer's address.
    pub(crate) fn check_peer(&self, head: &Head) {
        let is_known = self.peer(head) != Peer::Unknown;
        if !is_known && !self.peer_was_missed.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "requests come without their peer's address, so rules for addresses admit nobody: \
                 serve the filters by `warp::serve`, or put the `SocketAddr` into the request's extensions; \
                 on a unix socket, say `.unix_socket()`"
            );
        }
    }

    /// Says what the policy needs and the author has not given.
    pub(crate) fn warn_of_half_log_out(&self) {
        let is_whole = self.identify.is_some() && self.log_out.is_some();
        if !is_whole && self.maintenance.policy().logs_out() {
            tracing::warn!(
                "the policy logs visitors out, which takes `MaintenanceFilters::identify` and \
                 `MaintenanceFilters::on_logout`; without both, sessions stay alive on the server"
            );
        }
    }
}

impl Passed {
    /// The application's reply with what maintenance adds to it.
    pub(crate) fn finish(self, reply: impl Reply) -> warp::reply::Response {
        let mut response = reply.into_response();
        if let Some(epilogue) = self.epilogue {
            epilogue.write(&mut response);
        }
        until_the_body_ends(response, self.guard)
    }
}

impl Epilogue {
    fn write<B>(self, response: &mut Response<B>) {
        if let Some(policy) = self.expires {
            expire_cookies(response.headers_mut(), policy.logout_cookies());
        }
        // A guard further in may have closed what this one let through.
        response
            .extensions_mut()
            .get_or_insert_with(|| self.verdict);
    }
}

impl Unread {
    /// The answer, with the request's body looked after. `None`: a filter further out has taken it.
    pub(crate) fn settle<S, D>(mut self, body: Option<S>) -> warp::reply::Response
    where
        S: Stream<Item = Result<D, warp::Error>> + Send + 'static,
        D: Buf + Send + 'static,
    {
        if let Some(body) = body {
            let body = StreamBody::new(body.map_ok(Frame::data));
            settle(self.drain, self.announced, body, self.answer.headers_mut());
        }
        self.answer.into_response()
    }
}
