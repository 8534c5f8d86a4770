//! Demo sessions: three users, each with the password that is his name, and a random token in a cookie.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::ServiceRequest;
use actix_web::{HttpRequest, web};
use maintenance_mode::{Identity, Maintenance, SiteName, Timestamp};

/// The name of the cookie; `logout.cookies` in `maintenance.toml` has it, too.
pub(crate) const COOKIE: &str = "sessionid";

/// How many sessions are kept; the oldest go first.
const MOST: usize = 1_000;

/// The users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    Visitor,
    Staff,
    Root,
}

impl User {
    const ALL: [Self; 3] = [Self::Visitor, Self::Staff, Self::Root];

    /// The user with this name, if the password is the name.
    pub(crate) fn log_in(name: &str, password: &str) -> Option<Self> {
        let user = Self::ALL.into_iter().find(|user| user.name() == name)?;
        (password == name).then_some(user)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Staff => "staff",
            Self::Root => "root",
        }
    }

    pub(crate) const fn roles(self) -> &'static [&'static str] {
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

/// Who is logged in.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_token: Mutex<HashMap<String, Session>>,
}

impl Sessions {
    /// Begins a session and makes its cookie.
    pub(crate) fn begin(&self, user: User) -> Result<Cookie<'static>, getrandom::Error> {
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
        Ok(Cookie::build(COOKIE, token)
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .finish())
    }

    /// Ends a session, if there is one with this token.
    pub(crate) fn end(&self, token: &str) {
        self.lock().remove(token);
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

fn session_of(request: &HttpRequest) -> Option<Session> {
    let token = request.cookie(COOKIE)?;
    request
        .app_data::<web::Data<Sessions>>()?
        .get(token.value())
}

/// Who sent the request.
pub(crate) fn user_of(request: &HttpRequest) -> Option<User> {
    session_of(request).map(|session| session.user)
}

/// Who asks, for the middleware. It asks only when the answer matters.
pub(crate) async fn identify(request: &ServiceRequest) -> Identity {
    match session_of(request.request()) {
        None => Identity::anonymous(),
        Some(session) => Identity::user(session.user.name())
            .roles(session.user.roles().iter().copied())
            .inside(is_inside(request, session)),
    }
}

/// Whether the session is older than the present maintenance.
fn is_inside(request: &ServiceRequest, session: Session) -> bool {
    let since = request.app_data::<Maintenance>().and_then(|maintenance| {
        let snapshot = maintenance.snapshot();
        let site = snapshot.state()?.site(&SiteName::default())?;
        Some(site.activation.as_ref()?.since)
    });
    since.is_none_or(|since| Timestamp::from(session.began) < since)
}

/// Ends the session of a visitor whom the maintenance logs out.
pub(crate) async fn log_out(request: &ServiceRequest) {
    let sessions = request.app_data::<web::Data<Sessions>>();
    if let (Some(sessions), Some(token)) = (sessions, request.cookie(COOKIE)) {
        sessions.end(token.value());
    }
}
