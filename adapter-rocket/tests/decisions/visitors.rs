//! Who asks, and logging out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use maintenance_mode::policy::config::LogoutConfig;
use maintenance_mode::{Config, Identity, Maintenance, Mode};
use maintenance_mode_rocket::{MaintenanceFairing, force_off, force_on};
use rocket::http::{Header, Status};
use rocket::local::asynchronous::{Client, LocalResponse};
use rocket::{Request, get, routes};

use super::{client, close, closed, home, maintenance, open, quiet, site, status};

/// Counts how often somebody was looked up and logged out.
#[derive(Clone, Default)]
struct Calls {
    identify: Arc<AtomicUsize>,
    log_out: Arc<AtomicUsize>,
}

impl Calls {
    fn fairing(&self, maintenance: &Maintenance) -> MaintenanceFairing {
        let Self { identify, log_out } = self.clone();
        MaintenanceFairing::new(maintenance.clone())
            .identify(move |request| {
                identify.fetch_add(1, Ordering::Relaxed);
                Box::pin(who(request))
            })
            .on_logout(move |_| {
                log_out.fetch_add(1, Ordering::Relaxed);
                Box::pin(tokio::task::yield_now())
            })
    }

    fn counts(&self) -> (usize, usize) {
        (
            self.identify.load(Ordering::Relaxed),
            self.log_out.load(Ordering::Relaxed),
        )
    }
}

/// A name and roles, as the field says.
async fn who(request: &Request<'_>) -> Identity {
    tokio::task::yield_now().await;
    let Some(user) = request.headers().get_one("x-test-user") else {
        return Identity::anonymous();
    };
    let mut parts = user.split(' ');
    Identity::user(parts.next().unwrap_or_default()).roles(parts)
}

async fn by<'c>(site: &'c Client, user: &'static str, path: &'static str) -> LocalResponse<'c> {
    let request = site.get(path).header(Header::new("x-test-user", user));
    request.dispatch().await
}

#[get("/open")]
fn page() {}

#[get("/users/<_>")]
fn user() {}

#[get("/shut")]
fn shut() {}

#[tokio::test]
async fn d07_a_visitor_is_looked_up_only_when_nothing_cheaper_decides() {
    let calls = Calls::default();
    let config = Config::new().allow_role("staff").allow_path("/open");
    let maintenance = maintenance(config).await;
    let site = quiet()
        .attach(calls.fairing(&maintenance))
        .mount("/", routes![home, page])
        .mount("/", force_off(routes![user]))
        .mount("/", force_on(routes![shut]));
    let site = client(site).await;

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
    let response = by(&site, "ada staff", "/").await;
    assert_eq!(response.status(), Status::Ok);
    assert_eq!(calls.counts(), (2, 0));
    assert_eq!(
        maintenance.in_flight().count(),
        1,
        "the response is still there"
    );
    drop(response);
    assert_eq!(maintenance.in_flight().count(), 0);

    // `HEAD` is routed twice, and decided about once.
    let head = site
        .head("/")
        .header(Header::new("x-test-user", "ada staff"));
    assert_eq!(head.dispatch().await.status(), Status::Ok);
    assert_eq!(calls.counts(), (3, 0));
}

#[tokio::test]
async fn d07_nobody_is_looked_up_where_no_rule_wants_to_know() {
    let calls = Calls::default();
    let site = site(calls.fairing(&closed(Config::new()).await)).await;
    assert_eq!(status(&site, "/").await, 503);
    assert_eq!(calls.counts(), (0, 0));
}

#[tokio::test]
async fn d07_without_identify_a_visitor_is_blocked() {
    let maintenance = closed(Config::new().allow_role("staff")).await;
    let site = site(MaintenanceFairing::new(maintenance)).await;
    assert_eq!(by(&site, "ada staff", "/").await.status().code, 503);
}

#[tokio::test]
async fn whoever_was_inside_may_finish() {
    let maintenance = maintenance(Config::new()).await;
    close(&maintenance, Mode::Pending).await;
    let fairing = MaintenanceFairing::new(maintenance).identify(|request| {
        let inside = request.uri().query().is_some_and(|query| query == "inside");
        Box::pin(async move { Identity::user("ada").inside(inside) })
    });
    let site = site(fairing).await;
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

fn cookies<'r>(response: &'r LocalResponse<'_>) -> Vec<&'r str> {
    response.headers().get("Set-Cookie").collect()
}

#[tokio::test]
async fn who_is_blocked_is_logged_out_and_his_cookies_expire() {
    let calls = Calls::default();
    let site = site(calls.fairing(&closed(logging_out()).await)).await;
    let response = by(&site, "bob", "/").await;
    assert_eq!(response.status().code, 503);
    assert_eq!(
        cookies(&response),
        [
            "sessionid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
            "__Host-id=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
        ]
    );
    assert_eq!(calls.counts(), (1, 1));

    // Neither who is exempt, nor who is not logged in.
    let response = by(&site, "ada staff", "/").await;
    assert_eq!((response.status().code, calls.counts()), (200, (2, 1)));
    assert_eq!(cookies(&response), [""; 0]);
    let response = site.get("/").dispatch().await;
    assert_eq!((response.status().code, calls.counts()), (503, (3, 1)));
    assert_eq!(cookies(&response), [""; 0]);
}

#[tokio::test]
async fn nobody_is_logged_out_at_a_route_that_is_open() {
    let calls = Calls::default();
    let maintenance = closed(logging_out()).await;
    let site = quiet()
        .attach(calls.fairing(&maintenance))
        .mount("/", routes![page])
        .mount("/", force_off(routes![anything]));
    let site = client(site).await;
    // Another route may come first, so it must be known whether he is let in; he is not, and stays.
    let response = by(&site, "bob", "/open").await;
    assert_eq!(response.status(), Status::Ok);
    assert_eq!(cookies(&response), [""; 0]);
    assert_eq!(calls.counts(), (1, 0));
    assert_eq!(by(&site, "bob", "/else").await.status(), Status::Ok);
    assert_eq!(calls.counts(), (1, 0));
}

#[get("/<_..>", rank = 9)]
fn anything() {}

#[get("/fresh")]
fn fresh(jar: &rocket::http::CookieJar<'_>) -> &'static str {
    jar.add(("sessionid", "new"));
    "welcome"
}

#[tokio::test]
async fn logged_out_he_goes_on_as_anonymous_where_that_is_let_in() {
    let calls = Calls::default();
    let maintenance = closed(logging_out().allow_anonymous(true)).await;
    let site = quiet()
        .attach(calls.fairing(&maintenance))
        .mount("/", routes![home, fresh]);
    let site = client(site).await;

    let response = by(&site, "bob", "/").await;
    assert_eq!(response.status(), Status::Ok);
    assert_eq!(cookies(&response).len(), 2);
    assert_eq!(calls.counts(), (1, 1));
    // Also where no route answers.
    let response = by(&site, "bob", "/nowhere").await;
    assert_eq!((response.status().code, cookies(&response).len()), (404, 2));

    // A session that the application begins with this response stays.
    let response = by(&site, "bob", "/fresh").await;
    let cookies = cookies(&response);
    assert_eq!(cookies.len(), 2);
    assert!(cookies[0].starts_with("sessionid=new; "), "{cookies:?}");
    assert!(cookies[1].starts_with("__Host-id=; "), "{cookies:?}");
}

#[tokio::test]
async fn the_newest_state_decides_after_looking_up() {
    let maintenance = maintenance(Config::new().allow_role("staff")).await;
    close(&maintenance, Mode::Offline).await;
    let opens = maintenance.clone();
    let fairing = MaintenanceFairing::new(maintenance).identify(move |_| {
        let opens = opens.clone();
        Box::pin(async move {
            open(&opens).await;
            Identity::anonymous()
        })
    });
    assert_eq!(status(&site(fairing).await, "/").await, 200);
}
