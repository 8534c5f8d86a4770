//! Logging in and out, and the pages of the staff.

use actix_web::error::ErrorInternalServerError;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Form, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse};
use maintenance_mode_actix::MaintenanceStatus;
use maintenance_mode_example_shop::{
    COOKIE, Credentials, LOG_IN_FORM, LOG_OUT_FORM, Sessions, admin_page, page, removed_cookie,
};

use super::html;
use crate::session::user_of;

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
    html(StatusCode::OK, page("Log in", &maintenance, LOG_IN_FORM))
}

async fn log_in(
    maintenance: MaintenanceStatus,
    sessions: Data<Sessions>,
    form: Form<Credentials>,
) -> Result<HttpResponse, Error> {
    let Some(user) = form.user() else {
        let body = format!("<p>That is not a user with his password.</p>{LOG_IN_FORM}");
        let page = page("Log in", &maintenance, &body);
        return Ok(html(StatusCode::UNAUTHORIZED, page));
    };
    let cookie = sessions.begin(user).map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/"))
        .insert_header((header::SET_COOKIE, cookie))
        .finish())
}

async fn logout_form(maintenance: MaintenanceStatus) -> HttpResponse {
    html(StatusCode::OK, page("Log out", &maintenance, LOG_OUT_FORM))
}

async fn log_out(request: HttpRequest, sessions: Data<Sessions>) -> HttpResponse {
    if let Some(cookie) = request.cookie(COOKIE) {
        sessions.end(cookie.value());
    }
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/"))
        .insert_header((header::SET_COOKIE, removed_cookie()))
        .finish()
}

async fn admin(request: HttpRequest, maintenance: MaintenanceStatus) -> HttpResponse {
    let Some(user) = user_of(&request) else {
        return see_other("/login");
    };
    match admin_page(user, &maintenance) {
        Some(page) => html(StatusCode::OK, page),
        None => {
            let page = page("Admin", &maintenance, "<p>This is for staff.</p>");
            html(StatusCode::FORBIDDEN, page)
        }
    }
}
