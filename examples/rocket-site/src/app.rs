//! Who asks, for handlers and for the maintenance fairing.

use std::convert::Infallible;

use maintenance_mode::{Identity, Maintenance};
use maintenance_mode_example_shop::{Sessions, User, cookie_of};
use rocket::Request;
use rocket::request::{FromRequest, Outcome};

/// The token of a request's session.
pub(crate) fn token<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    cookie_of(request.headers().get("cookie"))
}

/// Who asks, for the maintenance fairing. It asks only when the answer matters.
pub(crate) async fn identify(request: &Request<'_>) -> Identity {
    let state = request.rocket();
    match (state.state::<Sessions>(), state.state::<Maintenance>()) {
        (Some(sessions), Some(maintenance)) => {
            sessions.identity(token(request).unwrap_or_default(), maintenance)
        }
        _ => Identity::anonymous(),
    }
}

/// Ends the session of a visitor whom the maintenance logs out.
pub(crate) async fn log_out(request: &Request<'_>) {
    if let (Some(token), Some(sessions)) = (token(request), request.rocket().state::<Sessions>()) {
        sessions.end(token);
    }
}

/// The session's token, for handlers.
pub(crate) struct Token<'r>(pub(crate) Option<&'r str>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Token<'r> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self(token(request)))
    }
}

/// Who is logged in, for handlers.
pub(crate) struct LoggedIn(pub(crate) Option<User>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for LoggedIn {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        let sessions = request.rocket().state::<Sessions>();
        let user = sessions.and_then(|sessions| sessions.user(token(request)?));
        Outcome::Success(Self(user))
    }
}
