//! Logging in and out, and the pages of the staff.

use maintenance_mode_example_shop::{
    Credentials, LOG_IN_FORM, LOG_OUT_FORM, Sessions, admin_page, page, removed_cookie,
};
use maintenance_mode_rocket::MaintenanceStatus;
use rocket::form::{Form, FromForm};
use rocket::http::{Header, Status};
use rocket::response::Redirect;
use rocket::response::content::RawHtml;
use rocket::{Responder, State, get, post};

use crate::app::{LoggedIn, Token};

#[derive(FromForm)]
pub(super) struct LogIn {
    #[field(name = "user")]
    #[field(name = "username")]
    user: String,
    password: String,
}

#[derive(Responder)]
pub(super) enum Answer {
    Page((Status, RawHtml<String>)),
    Elsewhere(Redirect),
    Session(WithCookie),
    Fault(Status),
}

#[derive(Responder)]
pub(super) struct WithCookie {
    to: Redirect,
    cookie: SetCookie,
}

struct SetCookie(String);

impl From<SetCookie> for Header<'static> {
    fn from(cookie: SetCookie) -> Self {
        Self::new("Set-Cookie", cookie.0)
    }
}

impl WithCookie {
    fn to_the_front(cookie: String) -> Self {
        Self {
            to: Redirect::to("/"),
            cookie: SetCookie(cookie),
        }
    }
}

#[get("/login")]
pub(super) fn log_in_form(status: MaintenanceStatus) -> RawHtml<String> {
    RawHtml(page("Log in", &status, LOG_IN_FORM))
}

#[post("/login", data = "<form>")]
pub(super) fn log_in(
    status: MaintenanceStatus,
    sessions: &State<Sessions>,
    form: Form<LogIn>,
) -> Answer {
    let LogIn { user, password } = form.into_inner();
    let Some(user) = Credentials::new(user, password).user() else {
        let body = format!("<p>That is not a user with his password.</p>{LOG_IN_FORM}");
        let page = RawHtml(page("Log in", &status, &body));
        return Answer::Page((Status::Unauthorized, page));
    };
    match sessions.begin(user) {
        Ok(cookie) => Answer::Session(WithCookie::to_the_front(cookie)),
        Err(error) => {
            tracing::error!("no session can begin: {error}");
            Answer::Fault(Status::InternalServerError)
        }
    }
}

#[get("/logout")]
pub(super) fn log_out_form(status: MaintenanceStatus) -> RawHtml<String> {
    RawHtml(page("Log out", &status, LOG_OUT_FORM))
}

#[post("/logout")]
pub(super) fn log_out(token: Token<'_>, sessions: &State<Sessions>) -> WithCookie {
    if let Some(token) = token.0 {
        sessions.end(token);
    }
    WithCookie::to_the_front(removed_cookie())
}

/// Rocket routes `/admin/` here as well.
#[get("/admin")]
pub(super) fn admin(user: LoggedIn, status: MaintenanceStatus) -> Answer {
    let Some(user) = user.0 else {
        return Answer::Elsewhere(Redirect::to("/login"));
    };
    match admin_page(user, &status) {
        Some(page) => Answer::Page((Status::Ok, RawHtml(page))),
        None => {
            let page = page("Admin", &status, "<p>This is for staff.</p>");
            Answer::Page((Status::Forbidden, RawHtml(page)))
        }
    }
}
