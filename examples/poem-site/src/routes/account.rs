//! Logging in and out, and the pages of the staff.

use maintenance_mode_example_shop::{
    Credentials, LOG_IN_FORM, LOG_OUT_FORM, admin_page, page, removed_cookie,
};
use maintenance_mode_poem::MaintenanceStatus;
use poem::http::StatusCode;
use poem::http::header::{HeaderMap, SET_COOKIE};
use poem::web::{Data, Form, Html, Redirect};
use poem::{IntoResponse, Response, Route, get, handler};

use crate::app::{App, LoggedIn, token};

pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/login", get(log_in_form).post(log_in))
        .at("/logout", get(log_out_form).post(log_out))
        .at("/admin", get(to_admin))
        .at("/admin/", get(admin))
}

#[handler]
async fn log_in_form(status: MaintenanceStatus) -> Html<String> {
    Html(page("Log in", &status, LOG_IN_FORM))
}

#[handler]
async fn log_in(
    status: MaintenanceStatus,
    app: Data<&App>,
    Form(credentials): Form<Credentials>,
) -> Response {
    let Some(user) = credentials.user() else {
        let body = format!("<p>That is not a user with his password.</p>{LOG_IN_FORM}");
        let page = Html(page("Log in", &status, &body));
        return page.with_status(StatusCode::UNAUTHORIZED).into_response();
    };
    match app.sessions.begin(user) {
        Ok(cookie) => Redirect::see_other("/")
            .with_header(SET_COOKIE, cookie)
            .into_response(),
        Err(error) => {
            tracing::error!("no session can begin: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[handler]
async fn log_out_form(status: MaintenanceStatus) -> Html<String> {
    Html(page("Log out", &status, LOG_OUT_FORM))
}

#[handler]
async fn log_out(app: Data<&App>, headers: &HeaderMap) -> impl IntoResponse {
    if let Some(token) = token(headers) {
        app.sessions.end(token);
    }
    Redirect::see_other("/").with_header(SET_COOKIE, removed_cookie())
}

#[handler]
fn to_admin() -> Redirect {
    Redirect::see_other("/admin/")
}

#[handler]
async fn admin(user: LoggedIn, status: MaintenanceStatus) -> Response {
    let Some(user) = user.0 else {
        return Redirect::see_other("/login").into_response();
    };
    match admin_page(user, &status) {
        Some(page) => Html(page).into_response(),
        None => Html(page("Admin", &status, "<p>This is for staff.</p>"))
            .with_status(StatusCode::FORBIDDEN)
            .into_response(),
    }
}
