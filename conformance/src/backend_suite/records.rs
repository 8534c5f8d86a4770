//! Records to store.

use std::sync::atomic::{AtomicU64, Ordering};

use maintenance_mode::Timestamp;
use maintenance_mode::backend::{BackendError, StateBackend};
use maintenance_mode::state::{
    Action, Change, Epoch, Message, MessageError, Mode, SiteName, State, Window, WindowError,
    WindowId,
};

use super::{Broken, broken};

impl From<MessageError> for Broken {
    fn from(error: MessageError) -> Self {
        Self(error.to_string())
    }
}

impl From<WindowError> for Broken {
    fn from(error: WindowError) -> Self {
        Self(error.to_string())
    }
}

/// An epoch that this process has not used before.
#[must_use]
pub fn new_epoch() -> Epoch {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Spread out, so that a mix-up of epoch and revision shows.
    let n = NEXT.fetch_add(1, Ordering::Relaxed) + 1;
    Epoch::from_bits(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Revision 1 of a new epoch, with the default site closed.
#[must_use]
pub fn first() -> State {
    let mut state = State::new(new_epoch());
    state.revision = 1;
    state.site_mut(&SiteName::default()).mode = Mode::Offline;
    state
}

/// What may follow `state`.
#[must_use]
pub fn after(state: &State) -> State {
    let mut next = state.clone();
    next.revision += 1;
    let site = next.site_mut(&SiteName::default());
    site.retry_after = Some(site.retry_after.unwrap_or(0) + 1);
    next
}

/// How often [`after`] was applied since [`first`].
#[must_use]
pub fn count(state: &State) -> u64 {
    let site = state.site(&SiteName::default());
    site.and_then(|site| site.retry_after).unwrap_or(0).into()
}

/// A full log of 100 entries, 200 windows, long messages and every character that JSON has to escape.
///
/// # Errors
///
/// None, unless the limits of messages have changed.
pub fn large() -> Result<State, Broken> {
    let mut state = first();
    let text = "Wir ziehen um.\n\"Zurück\" \\ um 23\u{202f}Uhr \u{1f6a7} ".repeat(60);
    let site = state.site_mut(&SiteName::default());
    site.message = Some(Message::new(text.clone())?);
    for n in 0..200_u32 {
        let start = Timestamp::from_millis(1_795_212_000_123 + i64::from(n) * 60_000);
        let end = start.after(std::time::Duration::from_millis(59_999));
        let id = WindowId::from_bits(u128::MAX - u128::from(n));
        let window = Window::new(id, Mode::ReadOnly, Some(start), Some(end))?;
        site.windows
            .push(window.message(Some(Message::new(format!("window {n}"))?)));
    }
    for n in 0..100 {
        state.record(Change {
            at: Timestamp::from_millis(1_795_212_000_000 + n),
            revision: n.unsigned_abs(),
            site: SiteName::default(),
            action: Action::Mode,
            from: Mode::Online,
            to: Mode::Offline,
            by: Some("operator\u{0}\u{7f}".to_owned()),
            via: Some("cli@host".to_owned()),
            why: Some(text.clone()),
        });
    }
    Ok(state)
}

/// Stores a first record.
///
/// # Errors
///
/// What the backend says.
pub async fn create(backend: &dyn StateBackend) -> Result<State, BackendError> {
    let state = first();
    backend.compare_and_set(None, &state).await?;
    Ok(state)
}

/// Stores what follows `state`.
///
/// # Errors
///
/// What the backend says.
pub async fn advance(backend: &dyn StateBackend, state: &State) -> Result<State, BackendError> {
    let next = after(state);
    backend
        .compare_and_set(Some(state.version()), &next)
        .await?;
    Ok(next)
}

/// Fails unless the store holds exactly `state`.
///
/// # Errors
///
/// It holds something else, or cannot be read.
pub async fn expect(backend: &dyn StateBackend, state: &State) -> Result<(), Broken> {
    match backend.load().await? {
        Some(found) if found == *state => Ok(()),
        Some(found) => Err(broken(format!(
            "{} was stored and {} is read",
            state.version(),
            found.version()
        ))),
        None => Err(broken(format!(
            "{} was stored and nothing is read",
            state.version()
        ))),
    }
}
