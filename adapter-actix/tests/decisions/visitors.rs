//! Who asks, and logging out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::dev::ServiceRequest;
use actix_web::http::header::SET_COOKIE;
use actix_web::test::{self, TestRequest};
use actix_web::{App, HttpResponse, web};
use maintenance_mode::policy::config::LogoutConfig;
use maintenance_mode::{Config, Identity, Maintenance, Mode, Reason};
use maintenance_mode_actix::{MaintenanceMw, Verdict};

use super::{close, closed, get, maintenance, open, site};

/// Counts how often somebody was looked up and logged out.
#[derive(Clone, Default)]
struct Calls {
    identify: Arc<AtomicUsize>,
    log_out: Arc<AtomicUsize>,
}

impl Calls {
    fn middleware(&self, maintenance: &Maintenance) -> MaintenanceMw {
        let Self { identify, log_out } = self.clone();
        MaintenanceMw::new(maintenance.clone())
            .identify(async move |request: &ServiceRequest| {
                identify.fetch_add(1, Ordering::Relaxed);
                actix_web::rt::task::yield_now().await;
                let user = request.headers().get("x-test-user");
                match user.and_then(|user| user.to_str().ok()) {
                    None => Identity::anonymous(),
                    Some(user) => {
                        let mut parts = user.split(' ');
                        Identity::user(parts.next().unwrap_or_default()).roles(parts)
                    }
                }
            })
            .on_logout(async move |_: &ServiceRequest| {
                actix_web::rt::task::yield_now().await;
                log_out.fetch_add(1, Ordering::Relaxed);
            })
    }

    fn counts(&self) -> (usize, usize) {
        (
            self.identify.load(Ordering::Relaxed),
            self.log_out.load(Ordering::Relaxed),
        )
    }
}

fn by(user: &'static str) -> TestRequest {
    TestRequest::default().insert_header(("x-test-user", user))
}

#[actix_web::test]
async fn d07_a_visitor_is_looked_up_only_when_nothing_cheaper_decides() {
    let calls = Calls::default();
    let config = Config::new().allow_role("staff").allow_path("/open");
    let maintenance = maintenance(config).await;
    let middleware = calls
        .middleware(&maintenance)
        .force_off_named("user")
        .force_on_named("shut");
    let site = site(middleware).await;

    get(&site, "/").await;
    get(&site, "/shut").await;
    assert_eq!(calls.counts(), (0, 0), "online");

    close(&maintenance, Mode::Offline).await;
    for path in ["/open", "/healthz", "/users/7", "/shut"] {
        get(&site, path).await;
        assert_eq!(calls.counts(), (0, 0), "{path}");
    }
    assert_eq!(get(&site, "/").await.0, 503);
    assert_eq!(calls.counts(), (1, 0));
    let response = test::call_service(&site, by("ada staff").to_request()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(Verdict::of(&response).unwrap().reason, Reason::Role(0));
    assert_eq!(calls.counts(), (2, 0));
    assert_eq!(
        maintenance.in_flight().count(),
        1,
        "the response is still there"
    );
    drop(response);
    assert_eq!(maintenance.in_flight().count(), 0);
}

#[actix_web::test]
async fn d07_nobody_is_looked_up_where_no_rule_wants_to_know() {
    let calls = Calls::default();
    let site = site(calls.middleware(&closed(Config::new()).await)).await;
    assert_eq!(get(&site, "/").await.0, 503);
    assert_eq!(calls.counts(), (0, 0));
}

#[actix_web::test]
async fn d07_without_identify_a_visitor_is_blocked() {
    let maintenance = closed(Config::new().allow_role("staff")).await;
    let site = site(MaintenanceMw::new(maintenance)).await;
    let response = test::call_service(&site, by("ada staff").to_request()).await;
    assert_eq!(response.status(), 503);
}

#[actix_web::test]
async fn whoever_was_inside_may_finish() {
    let maintenance = maintenance(Config::new()).await;
    close(&maintenance, Mode::Pending).await;
    let middleware = MaintenanceMw::new(maintenance).identify(async |request: &ServiceRequest| {
        Identity::user("ada").inside(request.query_string() == "inside")
    });
    let site = site(middleware).await;
    assert_eq!(get(&site, "/?inside").await.0, 200);
    assert_eq!(get(&site, "/?late").await.0, 503);
}

fn logging_out() -> Config {
    Config::new().allow_role("staff").logout(LogoutConfig {
        authenticated: true,
        cookies: vec!["sessionid".to_owned(), "__Host-id".to_owned()],
        ..LogoutConfig::default()
    })
}

#[actix_web::test]
async fn who_is_blocked_is_logged_out_and_his_cookies_expire() {
    let calls = Calls::default();
    let site = site(calls.middleware(&closed(logging_out()).await)).await;
    let response = test::call_service(&site, by("bob").to_request()).await;
    assert_eq!(response.status(), 503);
    assert!(Verdict::of(&response).unwrap().logged_out);
    let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).collect();
    assert_eq!(
        cookies,
        [
            "sessionid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
            "__Host-id=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
        ]
    );
    assert_eq!(calls.counts(), (1, 1));

    // Neither who is exempt, nor who is not logged in.
    let response = test::call_service(&site, by("ada staff").to_request()).await;
    assert_eq!((response.status().as_u16(), calls.counts()), (200, (2, 1)));
    let response = test::call_service(&site, TestRequest::default().to_request()).await;
    assert_eq!((response.status().as_u16(), calls.counts()), (503, (3, 1)));
    assert!(!response.headers().contains_key(SET_COOKIE));
}

#[actix_web::test]
async fn logged_out_he_goes_on_as_anonymous_where_that_is_let_in() {
    let calls = Calls::default();
    let maintenance = closed(logging_out().allow_anonymous(true)).await;
    let app = App::new()
        .wrap(calls.middleware(&maintenance))
        .route("/", web::get().to(async || "welcome"))
        .route(
            "/fresh",
            web::get().to(async || {
                HttpResponse::Ok()
                    .insert_header((SET_COOKIE, "sessionid=new; Path=/"))
                    .body("welcome")
            }),
        );
    let site = test::init_service(app).await;

    let response = test::call_service(&site, by("bob").to_request()).await;
    assert_eq!(response.status(), 200);
    let verdict = Verdict::of(&response).unwrap();
    assert_eq!(
        (verdict.reason, verdict.logged_out),
        (Reason::Anonymous, true)
    );
    assert_eq!(response.headers().get_all(SET_COOKIE).count(), 2);
    assert_eq!(calls.counts(), (1, 1));

    // A session that the application begins with this response stays.
    let response = test::call_service(&site, by("bob").uri("/fresh").to_request()).await;
    let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).collect();
    assert_eq!(cookies.len(), 2);
    assert_eq!(cookies[0], "sessionid=new; Path=/");
    assert!(cookies[1].to_str().unwrap().starts_with("__Host-id=; "));
}

#[actix_web::test]
async fn the_newest_state_decides_after_looking_up() {
    let maintenance = maintenance(Config::new().allow_role("staff")).await;
    close(&maintenance, Mode::Offline).await;
    let opens = maintenance.clone();
    let middleware = MaintenanceMw::new(maintenance).identify(async move |_: &ServiceRequest| {
        open(&opens).await;
        Identity::anonymous()
    });
    let site = site(middleware).await;
    assert_eq!(get(&site, "/").await.0, 200);
}
