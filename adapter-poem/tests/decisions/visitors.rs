//! Who asks, and logging out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use maintenance_mode::policy::config::LogoutConfig;
use maintenance_mode::{Config, Identity, Maintenance, Mode, Reason};
use maintenance_mode_poem::{MaintenanceMiddleware, Verdict};
use poem::endpoint::make_sync;
use poem::http::Request as HttpRequest;
use poem::http::header::SET_COOKIE;
use poem::{EndpointExt, IntoResponse, Request, Response, Route};

use super::{ask, close, closed, get_at, maintenance, open, reached, request, site, status};

/// Counts how often somebody was looked up and logged out.
#[derive(Clone, Default)]
struct Calls {
    identify: Arc<AtomicUsize>,
    log_out: Arc<AtomicUsize>,
}

impl Calls {
    fn gate(&self, maintenance: &Maintenance) -> MaintenanceMiddleware {
        let Self { identify, log_out } = self.clone();
        MaintenanceMiddleware::new(maintenance.clone())
            .identify(move |request: &Request| {
                identify.fetch_add(1, Ordering::Relaxed);
                let identity = who(request);
                async move {
                    tokio::task::yield_now().await;
                    identity
                }
            })
            .on_logout(move |_: &Request| {
                let log_out = Arc::clone(&log_out);
                async move {
                    tokio::task::yield_now().await;
                    log_out.fetch_add(1, Ordering::Relaxed);
                }
            })
    }

    fn counts(&self) -> (usize, usize) {
        (
            self.identify.load(Ordering::Relaxed),
            self.log_out.load(Ordering::Relaxed),
        )
    }
}

fn who(request: &Request) -> Identity {
    match request.header("x-test-user") {
        None => Identity::anonymous(),
        Some(user) => {
            let mut words = user.split(' ');
            Identity::user(words.next().unwrap_or_default()).roles(words)
        }
    }
}

fn by(user: &str) -> Request {
    by_at(user, "/")
}

fn by_at(user: &str, path: &str) -> Request {
    request(HttpRequest::get(path).header("x-test-user", user))
}

fn verdict(response: &Response) -> &Verdict {
    response.data().unwrap()
}

#[tokio::test]
async fn d07_identify_is_called_only_when_needed() {
    let calls = Calls::default();
    let config = Config::new().allow_role("staff").allow_path("/open");
    let maintenance = maintenance(config).await;
    let site = site(
        calls
            .gate(&maintenance)
            .force_off_at("/users/7")
            .force_on_at("/shut"),
    );

    status(&site, "/").await;
    status(&site, "/shut").await;
    assert_eq!(calls.counts(), (0, 0), "online");

    close(&maintenance, Mode::Offline).await;
    for path in ["/open", "/healthz", "/users/7", "/shut"] {
        status(&site, path).await;
        assert_eq!(calls.counts(), (0, 0), "{path}");
    }
    assert_eq!(status(&site, "/").await, 503);
    assert_eq!(calls.counts(), (1, 0));
    let response = ask(&site, by("ada staff")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(verdict(&response).reason, Reason::Role(0));
    assert_eq!(calls.counts(), (2, 0));
    let in_flight = maintenance.in_flight();
    assert_eq!(in_flight.count(), 1, "the response is still there");
    drop(response);
    assert_eq!(in_flight.count(), 0);
}

#[tokio::test]
async fn d07_nobody_is_looked_up_where_no_rule_wants_to_know() {
    let calls = Calls::default();
    let maintenance = closed(Config::new()).await;
    assert_eq!(status(&site(calls.gate(&maintenance)), "/").await, 503);
    let forced = MaintenanceMiddleware::force_on(maintenance);
    assert_eq!(status(&site(forced), "/").await, 503);
    assert_eq!(calls.counts(), (0, 0));
}

#[tokio::test]
async fn without_identify_a_visitor_is_blocked() {
    let maintenance = closed(Config::new().allow_role("staff")).await;
    let site = site(MaintenanceMiddleware::new(maintenance));
    assert_eq!(ask(&site, by("ada staff")).await.status(), 503);
}

#[tokio::test]
async fn whoever_was_inside_may_finish() {
    async fn inside(request: &Request) -> Identity {
        tokio::task::yield_now().await;
        Identity::user("ada").inside(request.uri().query() == Some("inside"))
    }
    let maintenance = maintenance(Config::new()).await;
    close(&maintenance, Mode::Pending).await;
    let by_function = site(MaintenanceMiddleware::new(maintenance.clone()).identify(inside));
    assert_eq!(status(&by_function, "/?inside").await, 200);
    assert_eq!(status(&by_function, "/?late").await, 503);
    let gate = MaintenanceMiddleware::new(maintenance);
    let by_closure = site(gate.identify(async |request: &Request| inside(request).await));
    assert_eq!(status(&by_closure, "/?inside").await, 200);
}

fn logging_out() -> Config {
    Config::new().allow_role("staff").logout(LogoutConfig {
        authenticated: true,
        cookies: vec!["sessionid".to_owned(), "__Host-id".to_owned()],
        ..LogoutConfig::default()
    })
}

fn cookies(response: &Response) -> Vec<&str> {
    let values = response.headers().get_all(SET_COOKIE).iter();
    values.map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn who_is_blocked_is_logged_out_and_his_cookies_expire() {
    let calls = Calls::default();
    let site = site(calls.gate(&closed(logging_out()).await));
    let response = ask(&site, by("bob")).await;
    assert_eq!(response.status(), 503);
    assert!(verdict(&response).logged_out);
    assert_eq!(
        cookies(&response),
        [
            "sessionid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
            "__Host-id=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
        ]
    );
    assert_eq!(calls.counts(), (1, 1));

    // Neither who is exempt, nor who is not logged in.
    let response = ask(&site, by("ada staff")).await;
    assert_eq!((response.status().as_u16(), calls.counts()), (200, (2, 1)));
    let response = get_at(&site, "/").await;
    assert_eq!((response.status().as_u16(), calls.counts()), (503, (3, 1)));
    assert!(cookies(&response).is_empty());
}

#[tokio::test]
async fn logged_out_he_goes_on_as_anonymous_where_that_is_let_in() {
    let calls = Calls::default();
    let maintenance = closed(logging_out().allow_anonymous(true)).await;
    let fresh =
        make_sync(|_| "welcome".with_header(SET_COOKIE, "sessionid=new; Path=/")).map_to_response();
    let site = Route::new()
        .at("/", reached())
        .at("/fresh", fresh)
        .with(calls.gate(&maintenance));

    let response = ask(&site, by("bob")).await;
    assert_eq!(response.status(), 200);
    let seen = verdict(&response);
    assert_eq!((seen.reason, seen.logged_out), (Reason::Anonymous, true));
    assert_eq!(cookies(&response).len(), 2);
    assert_eq!(calls.counts(), (1, 1));

    // A session that the application begins with this response stays.
    let response = ask(&site, by_at("bob", "/fresh")).await;
    let cookies = cookies(&response);
    assert_eq!((cookies.len(), cookies[0]), (2, "sessionid=new; Path=/"));
    assert!(cookies[1].starts_with("__Host-id=; "));
}

#[tokio::test]
async fn the_newest_state_decides_after_looking_up() {
    let maintenance = maintenance(Config::new().allow_role("staff")).await;
    close(&maintenance, Mode::Offline).await;
    let opens = maintenance.clone();
    let gate = MaintenanceMiddleware::new(maintenance).identify(move |_: &Request| {
        let opens = opens.clone();
        async move {
            open(&opens).await;
            Identity::anonymous()
        }
    });
    assert_eq!(status(&site(gate), "/").await, 200);
}
