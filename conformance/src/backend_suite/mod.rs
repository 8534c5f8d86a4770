//! What every state backend promises, as checks that run on any of them.
//!
//! A backend's tests implement [`Harness`] and [`Place`] and call [`run`]; each check is also a function of
//! its own. A check that a backend cannot be put to (it has no hints, no server to stop) is named in the
//! [`Report`], never left out in silence.

pub mod damage;
pub mod hints;
pub mod order;
pub mod outage;
pub mod race;
pub mod records;
pub mod size;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use maintenance_mode::backend::{BackendError, StateBackend};

/// A backend under test.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A store that nobody has used yet.
    async fn place(&self) -> Result<Box<dyn Place>, Broken>;

    /// What can be done to its stores.
    fn abilities(&self) -> Abilities;

    /// How hard [`race::no_update_is_lost`] tries.
    fn load(&self) -> Load;
}

/// One store.
///
/// The methods with a body belong to an [ability](Abilities): a harness that claims it implements them.
#[async_trait]
pub trait Place: Send + Sync {
    /// A new handle, as another instance would have it.
    async fn open(&self) -> Result<Arc<dyn StateBackend>, Broken>;

    /// Makes the stored record unreadable and returns what now lies there.
    async fn corrupt(&self) -> Result<Vec<u8>, Broken> {
        Err(broken(
            "the harness claims that records can be corrupted, and has no `corrupt`",
        ))
    }

    /// Whether `old` is still to be found, where the sentence that `repair` returned says.
    async fn keeps(&self, _old: &[u8], _sentence: &str) -> Result<bool, Broken> {
        Err(broken(
            "the harness claims that records can be corrupted, and has no `keeps`",
        ))
    }

    /// Removes the stored record behind the backend's back.
    async fn vanish(&self) -> Result<(), Broken> {
        Err(broken(
            "the harness claims that records can vanish, and has no `vanish`",
        ))
    }

    /// Kills the server.
    async fn stop_server(&self) -> Result<(), Broken> {
        Err(broken(
            "the harness claims to have a server, and has no `stop_server`",
        ))
    }

    /// Starts the server again, with its data.
    async fn start_server(&self) -> Result<(), Broken> {
        Err(broken(
            "the harness claims to have a server, and has no `start_server`",
        ))
    }
}

/// What can be done to a backend's stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// How soon a hint comes, for a backend that has hints.
    pub hints_within: Option<Duration>,
    /// Its records can be corrupted.
    pub corrupt: bool,
    /// Its records can vanish, and it can tell that from "never configured".
    pub vanish: bool,
    /// It has a server that can be stopped; it is reached again within this time after the server is back.
    pub server_back_within: Option<Duration>,
}

/// How hard to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Writers at the same time, each with a handle of its own.
    pub writers: usize,
    /// Compare-and-set calls of each.
    pub tries: usize,
    /// Readers meanwhile.
    pub readers: usize,
}

/// A promise that was not kept.
#[derive(thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

impl fmt::Debug for Broken {
    // A test that returns an error prints this form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<BackendError> for Broken {
    fn from(error: BackendError) -> Self {
        Self(format!("the backend said: {error}"))
    }
}

/// A promise that was not kept, in words.
pub fn broken(what: impl Into<String>) -> Broken {
    Broken(what.into())
}

/// Fails the check with a message unless the condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::backend_suite::broken(format!($($message)+)));
        }
    };
}

/// What was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Checks that ran and held.
    pub kept: Vec<&'static str>,
    /// Checks that the backend cannot be put to, each with the ability that it lacks.
    pub not_applicable: Vec<(&'static str, &'static str)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.kept {
            writeln!(f, "kept            {name}")?;
        }
        for (name, why) in &self.not_applicable {
            writeln!(f, "not applicable  {name}: {why}")?;
        }
        Ok(())
    }
}

/// Puts the backend to every check.
///
/// # Errors
///
/// The first promise that was not kept, with the name of its check.
pub async fn run(harness: &dyn Harness) -> Result<Report, Broken> {
    let abilities = harness.abilities();
    let mut report = Report::default();
    macro_rules! check {
        ($able:expr, $lack:literal, $($module:ident :: $name:ident),+ $(,)?) => {$(
            let name = concat!(stringify!($module), "::", stringify!($name));
            if $able {
                let result = $module::$name(harness).await;
                result.map_err(|why| broken(format!("{name}: {why}")))?;
                report.kept.push(name);
            } else {
                report.not_applicable.push((name, $lack));
            }
        )+};
    }
    check!(
        true,
        "",
        order::a_new_store_was_never_configured,
        order::one_of_many_creators_wins,
        order::readers_of_the_first_record_find_no_half_of_it,
        order::a_conflict_shows_the_present_record,
        order::nothing_cannot_be_updated,
        order::a_wrong_epoch_is_refused,
        order::a_revision_follows_the_one_before,
        order::what_was_stored_is_read_by_everybody,
        size::a_large_state_comes_back_whole,
        size::an_overlarge_state_is_refused,
        race::no_update_is_lost,
        damage::a_repair_begins_a_new_epoch,
        damage::a_repair_may_be_the_first_record,
        hints::nobody_needs_hints,
    );
    check!(
        abilities.hints_within.is_some(),
        "it has no hints",
        hints::the_first_record_is_hinted_at,
        hints::every_change_is_hinted_at,
        hints::changes_while_nobody_waits_are_hinted_at,
        hints::a_repair_is_hinted_at,
    );
    check!(
        abilities.corrupt,
        "its records cannot be corrupted",
        damage::an_unreadable_record_is_not_off,
        damage::a_repair_keeps_the_unreadable_record,
    );
    check!(
        abilities.vanish,
        "its records cannot vanish, or it cannot tell",
        damage::a_vanished_record_is_not_off,
    );
    check!(
        abilities.server_back_within.is_some(),
        "it has no server",
        outage::a_dead_server_is_an_error_and_comes_back,
        outage::a_subscription_survives_or_ends,
    );
    Ok(report)
}
