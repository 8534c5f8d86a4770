//! Who asks, and logging out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use maintenance_mode::policy::config::LogoutConfig;
use maintenance_mode::{Config, Identity, Maintenance, Mode, Reason};
use maintenance_mode_warp::{Head, MaintenanceFilters, Verdict};
use warp::http::Response;
use warp::http::header::SET_COOKIE;
use warp::test::RequestBuilder;
use warp::{Filter, reply};

use super::{close, closed, maintenance, open, request, routes, site, status};

/// Counts how often somebody was looked up and logged out.
#[derive(Clone, Default)]
struct Calls {
    identify: Arc<AtomicUsize>,
    log_out: Arc<AtomicUsize>,
}

impl Calls {
    fn filters(&self, maintenance: &Maintenance) -> MaintenanceFilters {
        let Self { identify, log_out } = self.clone();
        MaintenanceFilters::new(maintenance.clone())
            .identify(move |head: Arc<Head>| {
                identify.fetch_add(1, Ordering::Relaxed);
                async move {
                    tokio::task::yield_now().await;
                    who(&head)
                }
            })
            .on_logout(move |_| {
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

fn who(head: &Head) -> Identity {
    match head.headers.get("x-test-user") {
        None => Identity::anonymous(),
        Some(user) => {
            let mut words = user.to_str().unwrap().split(' ');
            Identity::user(words.next().unwrap_or_default()).roles(words)
        }
    }
}

fn by(user: &str) -> RequestBuilder {
    by_at(user, "/")
}

fn by_at(user: &str, path: &str) -> RequestBuilder {
    request(path).header("x-test-user", user)
}

fn verdict(response: &Response<Bytes>) -> &Verdict {
    response.extensions().get().unwrap()
}

#[tokio::test]
async fn d07_identify_is_called_only_when_nothing_cheaper_decides() {
    let calls = Calls::default();
    let config = Config::new().allow_role("staff").allow_path("/open");
    let maintenance = maintenance(config).await;
    let filters = calls.filters(&maintenance);
    let users = warp::path("users").and(filters.force_off(warp::path!(u32).map(|_| "user")));
    let shut = warp::path("shut").and(filters.force_on(warp::any().map(|| "no")));
    let banner = warp::path!("banner")
        .and(filters.status())
        .map(|status: maintenance_mode::RequestStatus| status.reason().to_string());
    let rest = filters.guard(banner.or(routes()));
    let site = users.or(shut).unify().or(rest).unify();

    status(&site, "/").await;
    status(&site, "/shut").await;
    assert_eq!(calls.counts(), (0, 0), "online");

    close(&maintenance, Mode::Offline).await;
    for path in ["/open", "/healthz", "/users/7", "/shut", "/shut/x"] {
        status(&site, path).await;
        assert_eq!(calls.counts(), (0, 0), "{path}");
    }
    assert_eq!(status(&site, "/").await, 503);
    assert_eq!(calls.counts(), (1, 0));
    let response = by("ada staff").reply(&site).await;
    assert_eq!(response.status(), 200);
    assert_eq!(verdict(&response).reason, Reason::Role(0));
    assert_eq!(calls.counts(), (2, 0));
    // The status filter knows what the guard found.
    let response = by_at("ada staff", "/banner").reply(&site).await;
    assert_eq!(
        (response.body(), calls.counts()),
        (&Bytes::from("role"), (3, 0))
    );
}

#[tokio::test]
async fn d07_nobody_is_looked_up_where_no_rule_wants_to_know() {
    let calls = Calls::default();
    let site = site(&calls.filters(&closed(Config::new()).await));
    assert_eq!(status(&site, "/").await, 503);
    assert_eq!(calls.counts(), (0, 0));
}

#[tokio::test]
async fn without_identify_a_visitor_is_blocked() {
    let maintenance = closed(Config::new().allow_role("staff")).await;
    let site = site(&MaintenanceFilters::new(maintenance));
    assert_eq!(by("ada staff").reply(&site).await.status(), 503);
}

#[tokio::test]
async fn whoever_was_inside_may_finish() {
    async fn inside(head: Arc<Head>) -> Identity {
        tokio::task::yield_now().await;
        Identity::user("ada").inside(head.query.as_deref() == Some("inside"))
    }
    let maintenance = maintenance(Config::new()).await;
    close(&maintenance, Mode::Pending).await;
    let site = site(&MaintenanceFilters::new(maintenance).identify(inside));
    assert_eq!(status(&site, "/?inside").await, 200);
    assert_eq!(status(&site, "/?late").await, 503);
}

fn logging_out() -> Config {
    Config::new().allow_role("staff").logout(LogoutConfig {
        authenticated: true,
        cookies: vec!["sessionid".to_owned(), "__Host-id".to_owned()],
        ..LogoutConfig::default()
    })
}

fn cookies(response: &Response<Bytes>) -> Vec<&str> {
    let values = response.headers().get_all(SET_COOKIE).iter();
    values.map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn who_is_blocked_is_logged_out_and_his_cookies_expire() {
    let calls = Calls::default();
    let site = site(&calls.filters(&closed(logging_out()).await));
    let response = by("bob").reply(&site).await;
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
    let response = by("ada staff").reply(&site).await;
    assert_eq!((response.status().as_u16(), calls.counts()), (200, (2, 1)));
    let response = request("/").reply(&site).await;
    assert_eq!((response.status().as_u16(), calls.counts()), (503, (3, 1)));
    assert!(cookies(&response).is_empty());
}

#[tokio::test]
async fn logged_out_he_goes_on_as_anonymous_where_that_is_let_in() {
    let calls = Calls::default();
    let maintenance = closed(logging_out().allow_anonymous(true)).await;
    let fresh = warp::path!("fresh")
        .map(|| reply::with_header("welcome", SET_COOKIE, "sessionid=new; Path=/"));
    let site = calls.filters(&maintenance).guard(fresh.or(routes()));

    let response = by("bob").reply(&site).await;
    assert_eq!(response.status(), 200);
    let seen = verdict(&response);
    assert_eq!((seen.reason, seen.logged_out), (Reason::Anonymous, true));
    assert_eq!(cookies(&response).len(), 2);
    assert_eq!(calls.counts(), (1, 1));

    // A session that the application begins with this response stays.
    let response = by_at("bob", "/fresh").reply(&site).await;
    let cookies = cookies(&response);
    assert_eq!((cookies.len(), cookies[0]), (2, "sessionid=new; Path=/"));
    assert!(cookies[1].starts_with("__Host-id=; "));
}

#[tokio::test]
async fn the_newest_state_decides_after_looking_up() {
    let maintenance = maintenance(Config::new().allow_role("staff")).await;
    close(&maintenance, Mode::Offline).await;
    let opens = maintenance.clone();
    let filters = MaintenanceFilters::new(maintenance).identify(move |_| {
        let opens = opens.clone();
        async move {
            open(&opens).await;
            Identity::anonymous()
        }
    });
    assert_eq!(status(&site(&filters), "/").await, 200);
}
