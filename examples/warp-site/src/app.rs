//! What handlers and the maintenance filters share.

use std::convert::Infallible;
use std::sync::Arc;

use maintenance_mode::{Maintenance, RequestStatus};
use maintenance_mode_example_shop::{Sessions, Shop, User, cookie_of};
use maintenance_mode_warp::{Head, MaintenanceFilters};
use warp::Filter;
use warp::http::HeaderMap;
use warp::http::header::{COOKIE, HeaderValue};

/// The application's state, and its maintenance filters.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) maintenance: Maintenance,
    pub(crate) filters: MaintenanceFilters,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) shop: Arc<Shop>,
}

impl App {
    pub(crate) fn new(maintenance: Maintenance) -> Self {
        let sessions = Arc::<Sessions>::default();
        Self {
            filters: filters(&maintenance, &sessions),
            maintenance,
            sessions,
            shop: Arc::default(),
        }
    }

    /// Gives it to a handler.
    pub(crate) fn given(
        &self,
    ) -> impl Filter<Extract = (Self,), Error = Infallible> + Clone + Send + Sync + use<> {
        let app = self.clone();
        warp::any().map(move || app.clone())
    }

    /// Who is logged in.
    pub(crate) fn user(
        &self,
    ) -> impl Filter<Extract = (Option<User>,), Error = Infallible> + Clone + Send + Sync + use<>
    {
        let sessions = Arc::clone(&self.sessions);
        warp::header::headers_cloned()
            .map(move |headers: HeaderMap| token(&headers).and_then(|token| sessions.user(token)))
    }

    /// What the site does now.
    pub(crate) fn status(
        &self,
    ) -> impl Filter<Extract = (RequestStatus,), Error = Infallible> + Clone + Send + Sync + use<>
    {
        self.filters.status()
    }
}

/// They ask who it is only when the answer matters.
fn filters(maintenance: &Maintenance, sessions: &Arc<Sessions>) -> MaintenanceFilters {
    let (known, ended) = (Arc::clone(sessions), Arc::clone(sessions));
    let handle = maintenance.clone();
    MaintenanceFilters::new(maintenance.clone())
        .identify(move |head: Arc<Head>| {
            let token = token(&head.headers).unwrap_or_default();
            std::future::ready(known.identity(token, &handle))
        })
        .on_logout(move |head: Arc<Head>| {
            if let Some(token) = token(&head.headers) {
                ended.end(token);
            }
            std::future::ready(())
        })
}

/// The token of a request's session.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let fields = headers.get_all(COOKIE).iter();
    cookie_of(fields.filter_map(|field: &HeaderValue| field.to_str().ok()))
}
