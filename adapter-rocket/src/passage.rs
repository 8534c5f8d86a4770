//! What is kept with a request while it passes, in Rocket's request-local cache.
//!
//! The cache lives as long as the request: until its response has been written and its connection, if it
//! was upgraded, has been left. So the count that is kept here ends exactly then, after panics, too.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use maintenance_mode::answer::Field;
use maintenance_mode::live::{InFlightGuard, Pass};
use maintenance_mode::{Admission, Policy, Verdict};
use rocket::Request;
use rocket::http::Method;

use crate::reply::Reply;

/// A request's entry in the cache, which keeps the first value of a type for good.
#[derive(Default)]
pub(crate) struct Passage {
    now: Mutex<Standing>,
    /// Header fields that the response borrows.
    fields: OnceLock<Arc<[Field]>>,
}

/// Where a request stands.
#[derive(Default)]
struct Standing {
    /// Counts the request. It goes when the request is blocked.
    guard: Option<InFlightGuard>,
    /// What was decided; `None` where nothing was closed.
    decided: Option<Box<Decided>>,
    /// A gate that is entered with this method next lets the request through: it has been decided about.
    settled: Option<Method>,
}

enum Decided {
    Passed(Pass),
    Blocked {
        verdict: Verdict,
        /// An answer that waits for Rocket's catcher to be done.
        waiting: Option<Reply>,
    },
}

impl Passage {
    pub(crate) fn of<'r>(request: &'r Request<'_>) -> &'r Self {
        request.local_cache(Self::default)
    }

    /// Lets a request through while nothing is closed.
    #[inline]
    pub(crate) fn open(request: &Request<'_>, guard: InFlightGuard) {
        let method = request.method();
        let mut guard = Some(guard);
        let this = request.local_cache(|| Self {
            now: Mutex::new(Standing {
                guard: guard.take(),
                decided: None,
                settled: settled_by(method),
            }),
            fields: OnceLock::new(),
        });
        if let Some(guard) = guard {
            this.again(guard, method);
        }
    }

    /// The entry is there already: a `HEAD` that is routed again as `GET`, or a test's copy of a request.
    #[cold]
    fn again(&self, guard: InFlightGuard, method: Method) {
        let mut now = self.now();
        now.guard.get_or_insert(guard);
        if now.settled != Some(method) {
            now.decided = None;
        }
        now.settled = settled_by(method);
    }

    /// Whether the request was let through already and is only routed once more.
    pub(crate) fn is_settled(&self, method: Method) -> bool {
        self.now().settled == Some(method)
    }

    /// The same, said to one gate only.
    pub(crate) fn settle(&self, method: Method) -> bool {
        self.now().settled.take() == Some(method)
    }

    /// Lets a request through that was decided about.
    pub(crate) fn admit(&self, guard: InFlightGuard, pass: Pass, settled: Option<Method>) {
        let mut now = self.now();
        now.guard.get_or_insert(guard);
        now.decided = Some(Box::new(Decided::Passed(pass)));
        now.settled = settled;
    }

    /// Counts the request no longer, and remembers why.
    pub(crate) fn block(&self, verdict: Verdict, waiting: Option<Reply>) {
        let mut now = self.now();
        now.settled = None;
        now.decided = Some(Box::new(Decided::Blocked { verdict, waiting }));
        now.guard = None;
    }

    /// Counts the connection as an upgraded one.
    pub(crate) fn upgrade(&self) {
        let mut now = self.now();
        now.guard = now.guard.take().map(InFlightGuard::upgrade);
    }

    /// The answer of a block that could not be sent where it was decided.
    pub(crate) fn take_waiting(&self) -> Option<Reply> {
        match self.now().decided.as_deref_mut()? {
            Decided::Blocked { waiting, .. } => waiting.take(),
            Decided::Passed(_) => None,
        }
    }

    /// The policy whose cookies must expire.
    pub(crate) fn logs_out(&self) -> Option<Arc<Policy>> {
        match self.now().decided.as_deref()? {
            Decided::Passed(pass) => pass.logs_out.clone(),
            Decided::Blocked { .. } => None,
        }
    }

    pub(crate) fn admission(&self) -> Option<Admission> {
        match self.now().decided.as_deref()? {
            Decided::Passed(pass) => Some(pass.admission.clone()),
            Decided::Blocked { .. } => None,
        }
    }

    pub(crate) fn verdict(&self) -> Option<Verdict> {
        Some(match self.now().decided.as_deref()? {
            Decided::Passed(pass) => pass.admission.verdict().clone(),
            Decided::Blocked { verdict, .. } => verdict.clone(),
        })
    }

    /// Keeps fields as long as the request; gives them back where others are kept already.
    pub(crate) fn keep(&self, fields: Arc<[Field]>) -> Result<&[Field], Arc<[Field]>> {
        self.fields.set(fields)?;
        Ok(self.fields.get().map_or(&[], |fields| fields))
    }

    fn now(&self) -> MutexGuard<'_, Standing> {
        // Every change of it is whole.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `HEAD` that finds no route of its own is routed again as `GET`.
pub(crate) fn settled_by(method: Method) -> Option<Method> {
    (method == Method::Head).then_some(Method::Get)
}
