//! Logging in and out, and the pages of the staff.

use maintenance_mode::RequestStatus;
use maintenance_mode_example_shop::{
    Credentials, LOG_IN_FORM, LOG_OUT_FORM, User, admin_page, page, removed_cookie,
};
use warp::http::header::{HeaderMap, LOCATION, SET_COOKIE};
use warp::http::{StatusCode, Uri};
use warp::reply::Response;
use warp::{Filter, Rejection, Reply, redirect, reply};

use super::read;
use crate::app::{App, token};

/// The largest log-in form, in bytes.
const LARGEST: u64 = 4096;

pub(super) fn routes(
    app: &App,
) -> impl Filter<Extract = (impl Reply + use<>,), Error = Rejection> + Clone + Send + Sync + use<> {
    let log_in_form = warp::path!("login")
        .and(read())
        .and(app.status())
        .map(|status: RequestStatus| reply::html(page("Log in", &status, LOG_IN_FORM)));
    let log_in = warp::path!("login")
        .and(warp::post())
        .and(warp::body::content_length_limit(LARGEST))
        .and(warp::body::form())
        .and(app.status())
        .and(app.given())
        .map(log_in);
    let log_out_form = warp::path!("logout")
        .and(read())
        .and(app.status())
        .map(|status: RequestStatus| reply::html(page("Log out", &status, LOG_OUT_FORM)));
    let log_out = warp::path!("logout")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(app.given())
        .map(log_out);
    // This is `/admin/`, too.
    let admin = warp::path!("admin")
        .and(read())
        .and(app.user())
        .and(app.status())
        .map(admin);
    log_in_form
        .or(log_in)
        .or(log_out_form)
        .or(log_out)
        .or(admin)
}

// warp hands every extracted value over.
#[expect(clippy::needless_pass_by_value)]
fn log_in(credentials: Credentials, status: RequestStatus, app: App) -> Response {
    let Some(user) = credentials.user() else {
        let body = format!("<p>That is not a user with his password.</p>{LOG_IN_FORM}");
        let page = reply::html(page("Log in", &status, &body));
        return reply::with_status(page, StatusCode::UNAUTHORIZED).into_response();
    };
    match app.sessions.begin(user) {
        Ok(cookie) => to_the_shop(&cookie),
        Err(error) => {
            tracing::error!("no session can begin: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[expect(clippy::needless_pass_by_value)]
fn log_out(headers: HeaderMap, app: App) -> Response {
    if let Some(token) = token(&headers) {
        app.sessions.end(token);
    }
    to_the_shop(&removed_cookie())
}

fn to_the_shop(cookie: &str) -> Response {
    let sent = reply::with_status(reply(), StatusCode::SEE_OTHER);
    let sent = reply::with_header(sent, LOCATION, "/");
    reply::with_header(sent, SET_COOKIE, cookie).into_response()
}

#[expect(clippy::needless_pass_by_value)]
fn admin(user: Option<User>, status: RequestStatus) -> Response {
    let Some(user) = user else {
        return redirect::see_other(Uri::from_static("/login")).into_response();
    };
    match admin_page(user, &status) {
        Some(page) => reply::html(page).into_response(),
        None => {
            let page = reply::html(page("Admin", &status, "<p>This is for staff.</p>"));
            reply::with_status(page, StatusCode::FORBIDDEN).into_response()
        }
    }
}
