//! What handlers and the maintenance layer share.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{COOKIE, HeaderMap, HeaderValue};
use axum::http::request::Parts;
use maintenance_mode::{Identity, Maintenance};
use maintenance_mode_example_shop::{Sessions, Shop, User, cookie_of};

/// The application's state. `FromRef` gives the status extractor its handle.
#[derive(Clone, FromRef)]
pub(crate) struct App {
    pub(crate) maintenance: Maintenance,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) shop: Arc<Shop>,
}

impl App {
    pub(crate) fn new(maintenance: Maintenance) -> Self {
        Self {
            maintenance,
            sessions: Arc::default(),
            shop: Arc::default(),
        }
    }
}

/// The token of a request's session.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let fields = headers.get_all(COOKIE).iter();
    cookie_of(fields.filter_map(|field: &HeaderValue| field.to_str().ok()))
}

/// Who asks, for the maintenance layer. It asks only when the answer matters.
pub(crate) fn identify(app: App) -> impl Fn(&Parts) -> std::future::Ready<Identity> + Send + Sync {
    move |parts| {
        let token = token(&parts.headers).unwrap_or_default();
        std::future::ready(app.sessions.identity(token, &app.maintenance))
    }
}

/// Ends the session of a visitor whom the maintenance logs out.
pub(crate) fn log_out(app: App) -> impl Fn(&Parts) -> std::future::Ready<()> + Send + Sync {
    move |parts| {
        if let Some(token) = token(&parts.headers) {
            app.sessions.end(token);
        }
        std::future::ready(())
    }
}

/// Who is logged in, for handlers.
pub(crate) struct LoggedIn(pub(crate) Option<User>);

impl FromRequestParts<App> for LoggedIn {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(
            token(&parts.headers).and_then(|token| app.sessions.user(token)),
        ))
    }
}
