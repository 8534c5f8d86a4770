//! Logging in and out, and the pages of the staff.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, SET_COOKIE};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use maintenance_mode_example_shop::{
    Credentials, LOG_IN_FORM, LOG_OUT_FORM, admin_page, page, removed_cookie,
};
use maintenance_mode_tower::MaintenanceStatus;

use crate::app::{App, LoggedIn, token};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/login", get(log_in_form).post(log_in))
        .route("/logout", get(log_out_form).post(log_out))
        .route("/admin", get(async || Redirect::to("/admin/")))
        .route("/admin/", get(admin))
}

async fn log_in_form(status: MaintenanceStatus) -> Html<String> {
    Html(page("Log in", &status, LOG_IN_FORM))
}

async fn log_in(
    status: MaintenanceStatus,
    State(app): State<App>,
    Form(credentials): Form<Credentials>,
) -> Response {
    let Some(user) = credentials.user() else {
        let body = format!("<p>That is not a user with his password.</p>{LOG_IN_FORM}");
        let page = Html(page("Log in", &status, &body));
        return (StatusCode::UNAUTHORIZED, page).into_response();
    };
    match app.sessions.begin(user) {
        Ok(cookie) => ([(SET_COOKIE, cookie)], Redirect::to("/")).into_response(),
        Err(error) => {
            tracing::error!("no session can begin: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn log_out_form(status: MaintenanceStatus) -> Html<String> {
    Html(page("Log out", &status, LOG_OUT_FORM))
}

async fn log_out(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(token) = token(&headers) {
        app.sessions.end(token);
    }
    ([(SET_COOKIE, removed_cookie())], Redirect::to("/")).into_response()
}

async fn admin(user: LoggedIn, status: MaintenanceStatus) -> Response {
    let Some(user) = user.0 else {
        return Redirect::to("/login").into_response();
    };
    match admin_page(user, &status) {
        Some(page) => Html(page).into_response(),
        None => {
            let page = page("Admin", &status, "<p>This is for staff.</p>");
            (StatusCode::FORBIDDEN, Html(page)).into_response()
        }
    }
}
