//! What handlers and the maintenance gate share.

use std::sync::Arc;

use maintenance_mode::{Identity, Maintenance};
use maintenance_mode_example_shop::{Sessions, Shop, User, cookie_of};
use poem::error::GetDataError;
use poem::http::HeaderMap;
use poem::http::header::{COOKIE, HeaderValue};
use poem::{FromRequest, Request, RequestBody};

/// The application's data.
#[derive(Clone)]
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

/// Who asks, for the maintenance gate. It asks only when the answer matters.
pub(crate) fn identify(app: App) -> impl Fn(&Request) -> std::future::Ready<Identity> {
    move |request| {
        let token = token(request.headers()).unwrap_or_default();
        std::future::ready(app.sessions.identity(token, &app.maintenance))
    }
}

/// Ends the session of a visitor whom the maintenance logs out.
pub(crate) fn log_out(app: App) -> impl Fn(&Request) -> std::future::Ready<()> {
    move |request| {
        if let Some(token) = token(request.headers()) {
            app.sessions.end(token);
        }
        std::future::ready(())
    }
}

/// Who is logged in, for handlers.
pub(crate) struct LoggedIn(pub(crate) Option<User>);

impl<'a> FromRequest<'a> for LoggedIn {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let app: &App = request.data().ok_or(GetDataError("App"))?;
        let token = token(request.headers());
        Ok(Self(token.and_then(|token| app.sessions.user(token))))
    }
}
