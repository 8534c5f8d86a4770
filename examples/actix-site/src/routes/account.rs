//! Logging in and out, and the pages of the staff.

use actix_web::error::ErrorInternalServerError;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Form, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse};
use maintenance_mode_actix::MaintenanceStatus;
use serde::Deserialize;

use super::layout::page;
use crate::session::{COOKIE, Sessions, User, user_of};

const FORM: &str = "<form method=\"post\" action=\"/login\">\
    <label>User <input name=\"user\" autocomplete=\"username\" required></label>\
    <label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label>\
    <button>Log in</button></form>\
    <p>Users of this demo: visitor, staff, root. The password is the name.</p>";

pub(super) fn routes(site: &mut ServiceConfig) {
    site.service(web::resource("/login").get(login_form).post(log_in))
        .service(web::resource("/logout").get(logout_form).post(log_out))
        .route("/admin", web::get().to(async || see_other("/admin/")))
        .route("/admin/", web::get().to(admin));
}

fn see_other(target: &'static str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, target))
        .finish()
}

async fn login_form(maintenance: MaintenanceStatus) -> HttpResponse {
    page(StatusCode::OK, "Log in", &maintenance, FORM)
}

#[derive(Deserialize)]
struct Credentials {
    #[serde(alias = "username")]
    user: String,
    password: String,
}

async fn log_in(
    maintenance: MaintenanceStatus,
    sessions: Data<Sessions>,
    form: Form<Credentials>,
) -> Result<HttpResponse, Error> {
    let Some(user) = User::log_in(&form.user, &form.password) else {
        let body = format!("<p>That is not a user with his password.</p>{FORM}");
        return Ok(page(
            StatusCode::UNAUTHORIZED,
            "Log in",
            &maintenance,
            &body,
        ));
    };
    let cookie = sessions.begin(user).map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/"))
        .cookie(cookie)
        .finish())
}

async fn logout_form(maintenance: MaintenanceStatus) -> HttpResponse {
    let form = "<form method=\"post\" action=\"/logout\"><button>Log out</button></form>";
    page(StatusCode::OK, "Log out", &maintenance, form)
}

async fn log_out(request: HttpRequest, sessions: Data<Sessions>) -> HttpResponse {
    let mut response = see_other("/");
    if let Some(mut cookie) = request.cookie(COOKIE) {
        sessions.end(cookie.value());
        cookie.set_path("/");
        cookie.make_removal();
        // A cookie without control bytes, as this one came in, can be sent out.
        let _ = response.add_cookie(&cookie);
    }
    response
}

async fn admin(request: HttpRequest, maintenance: MaintenanceStatus) -> HttpResponse {
    match user_of(&request) {
        None => see_other("/login"),
        Some(user) if user.roles().contains(&"staff") => {
            let body = format!(
                "<p>You are {}, with the roles {}.</p>",
                user.name(),
                user.roles().join(", ")
            );
            page(StatusCode::OK, "Admin", &maintenance, &body)
        }
        Some(_) => {
            let body = "<p>This is for staff.</p>";
            page(StatusCode::FORBIDDEN, "Admin", &maintenance, body)
        }
    }
}
