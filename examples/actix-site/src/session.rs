//! Whose session a request has.

use actix_web::dev::ServiceRequest;
use actix_web::{HttpRequest, web};
use maintenance_mode::{Identity, Maintenance};
use maintenance_mode_example_shop::{COOKIE, Sessions, User};

/// Who sent the request.
pub(crate) fn user_of(request: &HttpRequest) -> Option<User> {
    let token = request.cookie(COOKIE)?;
    let sessions = request.app_data::<web::Data<Sessions>>()?;
    sessions.user(token.value())
}

/// Who asks, for the middleware. It asks only when the answer matters.
pub(crate) async fn identify(request: &ServiceRequest) -> Identity {
    let sessions = request.app_data::<web::Data<Sessions>>();
    let maintenance = request.app_data::<Maintenance>();
    match (sessions, maintenance, request.cookie(COOKIE)) {
        (Some(sessions), Some(maintenance), Some(token)) => {
            sessions.identity(token.value(), maintenance)
        }
        _ => Identity::anonymous(),
    }
}

/// Ends the session of a visitor whom the maintenance logs out.
pub(crate) async fn log_out(request: &ServiceRequest) {
    let sessions = request.app_data::<web::Data<Sessions>>();
    if let (Some(sessions), Some(token)) = (sessions, request.cookie(COOKIE)) {
        sessions.end(token.value());
    }
}
