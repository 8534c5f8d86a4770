//! Demo sessions: three users, each with the password that is his name, and a random token in a cookie.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use maintenance_mode::{Identity, Maintenance, SiteName, Timestamp};
use serde::Deserialize;

/// The name of the cookie; `logout.cookies` in `maintenance.toml` has it, too.
pub const COOKIE: &str = "sessionid";

/// How many sessions are kept; the oldest go first.
const MOST: usize = 1_000;

/// What the log-in form sends.
#[derive(Debug, Deserialize)]
pub struct Credentials {
    #[serde(alias = "username")]
    user: String,
    password: String,
}

impl Credentials {
    /// For frameworks that read forms without serde.
    #[must_use]
    pub const fn new(user: String, password: String) -> Self {
        Self { user, password }
    }

    /// The user with this name, if the password is the name.
    #[must_use]
    pub fn user(&self) -> Option<User> {
        let user = User::ALL
            .into_iter()
            .find(|user| user.name() == self.user)?;
        (self.password == self.user).then_some(user)
    }
}

/// The users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// Who buys.
    Visitor,
    /// Who sells.
    Staff,
    /// Who may everything.
    Root,
}

impl User {
    const ALL: [Self; 3] = [Self::Visitor, Self::Staff, Self::Root];

    /// What he is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Staff => "staff",
            Self::Root => "root",
        }
    }

    /// What he may.
    #[must_use]
    pub const fn roles(self) -> &'static [&'static str] {
        match self {
            Self::Visitor => &[],
            Self::Staff => &["staff"],
            Self::Root => &["staff", "superuser"],
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Session {
    user: User,
    began: SystemTime,
}

impl Session {
    /// Whether the session is older than the present maintenance.
    fn is_inside(self, maintenance: &Maintenance) -> bool {
        let snapshot = maintenance.snapshot();
        let since = snapshot
            .state()
            .and_then(|state| state.site(&SiteName::default()))
            .and_then(|site| Some(site.activation.as_ref()?.since));
        since.is_none_or(|since| Timestamp::from(self.began) < since)
    }
}

/// Who is logged in.
#[derive(Debug, Default)]
pub struct Sessions {
    by_token: Mutex<HashMap<String, Session>>,
    lookups: AtomicU64,
}

impl Sessions {
    /// Begins a session and makes its `Set-Cookie` value.
    ///
    /// # Errors
    ///
    /// The operating system has no random numbers.
    pub fn begin(&self, user: User) -> Result<String, getrandom::Error> {
        let token = random_token()?;
        let mut sessions = self.lock();
        if sessions.len() >= MOST {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.began);
            if let Some(token) = oldest.map(|(token, _)| token.clone()) {
                sessions.remove(&token);
            }
        }
        let began = SystemTime::now();
        sessions.insert(token.clone(), Session { user, began });
        Ok(format!("{COOKIE}={token}; HttpOnly; SameSite=Lax; Path=/"))
    }

    /// Ends a session, if there is one with this token.
    pub fn end(&self, token: &str) {
        self.lock().remove(token);
    }

    /// Who has the session with this token.
    #[must_use]
    pub fn user(&self, token: &str) -> Option<User> {
        self.get(token).map(|session| session.user)
    }

    /// Who asks, as the engine wants to know. Each call is counted, as a read of a database would cost.
    pub fn identity(&self, token: &str, maintenance: &Maintenance) -> Identity {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        match self.get(token) {
            None => Identity::anonymous(),
            Some(session) => Identity::user(session.user.name())
                .roles(session.user.roles().iter().copied())
                .inside(session.is_inside(maintenance)),
        }
    }

    /// How often the maintenance has asked who a visitor is.
    #[must_use]
    pub fn lookups(&self) -> u64 {
        self.lookups.load(Ordering::Relaxed)
    }

    fn get(&self, token: &str) -> Option<Session> {
        self.lock().get(token).copied()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        // A panic while it is held leaves whole sessions behind.
        self.by_token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut token, byte| {
        // Writing to a string does not fail.
        let _ = write!(token, "{byte:02x}");
        token
    }))
}

/// The session's token in the values of `Cookie` fields.
pub fn cookie_of<'a>(fields: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    fields
        .flat_map(|field| field.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The `Set-Cookie` value of a session that has ended.
#[must_use]
pub fn removed_cookie() -> String {
    maintenance_mode::answer::expired_cookie(COOKIE)
}
