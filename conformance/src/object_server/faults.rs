//! What goes wrong on purpose, and what was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done; status and code are answered.
    Refuse(u16, &'static str),
    /// It is done; status and code are answered all the same.
    DoAndRefuse(u16, &'static str),
    /// Nothing is done and nothing answered.
    Hang,
    /// It is done, and nothing answered.
    DoAndHang,
    /// Nothing is done, and the connection is closed.
    Close,
    /// It is done, and the connection is closed.
    DoAndClose,
    /// Half of the body is sent.
    Truncate,
}

/// A header that the server may not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// `If-Match`
    IfMatch,
    /// `If-None-Match` of a write.
    IfNoneMatch,
    /// Metadata, which is not kept then.
    Metadata,
}

/// The faults to come, and what was answered so far.
#[derive(Debug, Default)]
pub struct Faults {
    plan: Mutex<Vec<Planned>>,
    ignored: Mutex<BTreeSet<Condition>>,
    answers: Mutex<BTreeMap<(String, u16), u64>>,
}

#[derive(Clone, Debug)]
struct Planned {
    method: &'static str,
    ending: String,
    fault: Fault,
    times: usize,
}

impl Faults {
    /// Lets the next `times` requests with this method, for keys with this ending, go wrong.
    pub fn plan(&self, method: &'static str, ending: &str, fault: Fault, times: usize) {
        lock(&self.plan).push(Planned {
            method,
            ending: ending.to_owned(),
            fault,
            times,
        });
    }

    /// Everything goes well again.
    pub fn clear(&self) {
        lock(&self.plan).clear();
    }

    /// Ignores a condition from now on, as some stores do.
    pub fn ignore(&self, condition: Condition) {
        lock(&self.ignored).insert(condition);
    }

    /// How often a method was answered with a status.
    #[must_use]
    pub fn answers(&self, method: &str, status: u16) -> u64 {
        let answers = lock(&self.answers);
        answers
            .get(&(method.to_owned(), status))
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn ignores(&self, condition: Condition) -> bool {
        lock(&self.ignored).contains(&condition)
    }

    pub(super) fn count(&self, method: &str, status: u16) {
        *lock(&self.answers)
            .entry((method.to_owned(), status))
            .or_default() += 1;
    }

    /// The fault that this request meets.
    pub(super) fn take(&self, method: &str, key: &str) -> Option<Fault> {
        let mut plan = lock(&self.plan);
        let meant = |planned: &&mut Planned| {
            planned.times > 0 && planned.method == method && key.ends_with(&planned.ending)
        };
        let planned = plan.iter_mut().find(meant)?;
        planned.times -= 1;
        Some(planned.fault)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each of them is changed in one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
