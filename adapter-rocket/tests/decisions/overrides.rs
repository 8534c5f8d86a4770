//! Routes that are always open or always closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use maintenance_mode::{Config, Identity, Maintenance};
use maintenance_mode_rocket::{
    MaintenanceFairing, MaintenanceStatus, control, force_off, force_on,
};
use rocket::http::{Method, Status};
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, Route, get, head, post, routes};

use super::{ask, client, closed, maintenance, quiet, status, told};

#[get("/open")]
fn page(status: MaintenanceStatus) -> String {
    format!("open because of {}", status.reason())
}

#[post("/open", data = "<data>")]
fn webhook(data: &str) -> String {
    format!("took {data}")
}

#[get("/users/<id>")]
fn user(id: u8) -> String {
    format!("user {id}")
}

#[get("/shut")]
fn shut() -> &'static str {
    "handler reached"
}

/// The application with these routes.
async fn site(
    maintenance: &Maintenance,
    routes: Vec<Route>,
) -> rocket::local::asynchronous::Client {
    let fairing = MaintenanceFairing::new(maintenance.clone());
    client(quiet().attach(fairing).mount("/", routes)).await
}

#[tokio::test]
async fn d22_routes_are_forced_off() {
    let maintenance = closed(Config::new()).await;
    let routes = [force_off(routes![page, webhook, user]), routes![shut]].concat();
    let site = site(&maintenance, routes).await;
    assert_eq!(
        ask(&site, "/open").await,
        (200, "open because of force_off".to_owned())
    );
    let hook = site.post("/open").body("a payment").dispatch().await;
    assert_eq!(told(hook).await, (200, "took a payment".to_owned()));
    assert_eq!(ask(&site, "/users/7").await, (200, "user 7".to_owned()));
    for path in ["/shut", "/open/more", "/nowhere", "/users"] {
        assert_eq!(status(&site, path).await, 503, "{path}");
    }
    // What Rocket routes to the route is the route.
    assert_eq!(status(&site, "/%6fpen").await, 200);

    let from_head = site.head("/open").dispatch().await;
    assert_eq!(from_head.status(), Status::Ok);
    assert_eq!(
        from_head.body().preset_size(),
        Some("open because of force_off".len())
    );
    assert_eq!(from_head.into_string().await.unwrap_or_default(), "");
    assert_eq!(site.put("/open").dispatch().await.status().code, 503);
    assert_eq!(maintenance.in_flight().count(), 0);
}

#[tokio::test]
async fn d22_a_forced_route_that_does_not_take_a_request_leaves_it_closed() {
    let maintenance = closed(Config::new()).await;
    let site = site(&maintenance, force_off(routes![user])).await;
    let response = site.get("/users/nobody").dispatch().await;
    assert_eq!(response.status().code, 503);
    assert_eq!(response.headers().get_one("x-maintenance"), Some("1"));
    assert_eq!(
        maintenance.in_flight().count(),
        0,
        "blocked requests do not count"
    );
}

struct Never;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Never {
    type Error = ();

    async fn from_request(_: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Forward(Status::NotFound)
    }
}

#[get("/pages/first?<_kind>")]
fn not_first(_kind: Option<u8>, _never: Never) -> &'static str {
    "never"
}

#[get("/pages/first")]
fn first() -> &'static str {
    "first"
}

#[get("/pages/<_..>", rank = 3)]
fn rest() -> &'static str {
    "rest"
}

#[head("/pages/first")]
fn own_head() -> (Status, ()) {
    (Status::Accepted, ())
}

/// Counts who was looked up; everybody who asks for `/…?staff` is staff.
async fn with_staff(routes: Vec<Route>) -> (rocket::local::asynchronous::Client, Arc<AtomicUsize>) {
    let maintenance = closed(Config::new().allow_role("staff")).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&asked);
    let fairing = MaintenanceFairing::new(maintenance).identify(move |request| {
        counts.fetch_add(1, Ordering::Relaxed);
        let is_staff = request.uri().query().is_some_and(|query| query == "staff");
        Box::pin(async move {
            if is_staff {
                Identity::user("ada").role("staff")
            } else {
                Identity::anonymous()
            }
        })
    });
    (
        client(quiet().attach(fairing).mount("/", routes)).await,
        asked,
    )
}

#[tokio::test]
async fn d22_whom_the_site_lets_in_reaches_the_route_that_he_always_reaches() {
    let routes = [force_off(routes![rest]), routes![first, own_head]].concat();
    let (site, _) = with_staff(routes).await;
    assert_eq!(ask(&site, "/pages/first?staff").await.1, "first");
    assert_eq!(ask(&site, "/pages/other?staff").await.1, "rest");
    assert_eq!(ask(&site, "/pages/first").await.1, "rest");
    assert_eq!(ask(&site, "/pages/other").await.1, "rest");
    let head = async |path| site.head(path).dispatch().await.status().code;
    assert_eq!(head("/pages/first?staff").await, 202);
    assert_eq!(head("/pages/other?staff").await, 200);
    assert_eq!(head("/pages/other").await, 200);
}

#[tokio::test]
async fn d07_a_forced_route_looks_nobody_up_where_no_other_route_may_come_first() {
    let routes = [force_off(routes![page, first]), routes![rest, shut]].concat();
    let (site, asked) = with_staff(routes).await;
    for path in ["/open", "/open?staff", "/pages/first"] {
        assert_eq!(status(&site, path).await, 200, "{path}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(status(&site, "/shut?staff").await, 200);
    assert_eq!(asked.load(Ordering::Relaxed), 1);

    let routes = [force_off(routes![first]), routes![not_first]].concat();
    let (site, asked) = with_staff(routes).await;
    assert_eq!(ask(&site, "/pages/first?staff").await.1, "first");
    assert_eq!(asked.load(Ordering::Relaxed), 1, "once, before the gate");

    let routes = [force_off(routes![first, rest]), routes![not_first]].concat();
    let (site, asked) = with_staff(routes).await;
    assert_eq!(ask(&site, "/pages/first?staff").await.1, "first");
    assert_eq!(asked.load(Ordering::Relaxed), 1, "once for both copies");
    let (site, _) = with_staff(force_off(routes![first])).await;
    assert_eq!(ask(&site, "/pages/first").await.1, "first");
}

#[tokio::test]
async fn d22_relative_ranks_are_kept_among_forced_routes() {
    let maintenance = closed(Config::new()).await;
    let site = site(&maintenance, force_off(routes![rest, first, own_head])).await;
    assert_eq!(ask(&site, "/pages/first").await.1, "first");
    assert_eq!(ask(&site, "/pages/other").await.1, "rest");
    assert_eq!(
        site.head("/pages/first").dispatch().await.status().code,
        202
    );
    assert_eq!(
        site.head("/pages/other").dispatch().await.status().code,
        200
    );
}

#[tokio::test]
async fn d22_routes_are_forced_on_in_every_spelling() {
    let maintenance = maintenance(Config::new()).await;
    let routes = [force_on(routes![shut]), routes![page]].concat();
    let site = site(&maintenance, routes).await;
    assert_eq!(status(&site, "/open").await, 200);
    for spelling in [
        "/shut",
        "/%73hut",
        "//shut",
        "/shut/",
        "/shut//?x",
        "/%73%68%75%74",
    ] {
        for method in [Method::Get, Method::Head] {
            let response = site.req(method, spelling).dispatch().await;
            assert_eq!(response.status().code, 503, "{spelling}");
            assert_eq!(response.headers().get_one("x-maintenance"), Some("1"));
            let text = response.into_string().await.unwrap_or_default();
            assert!(!text.contains("handler reached"), "{spelling}");
        }
    }
    assert_eq!(maintenance.in_flight().count(), 0);
}

#[tokio::test]
async fn d22_force_on_beats_every_exemption_and_force_off() {
    let config = Config::new().allow_path("/shut").health(["/shut"]);
    let maintenance = closed(config.allow_tests(true)).await;
    for routes in [
        force_on(routes![shut]),
        force_on(force_off(routes![shut])),
        force_off(force_on(routes![shut])),
        control(force_on(routes![shut])),
    ] {
        let fairing = MaintenanceFairing::new(maintenance.clone()).test_mode(true);
        let site = client(quiet().attach(fairing).mount("/", routes)).await;
        assert_eq!(status(&site, "/shut").await, 503);
        assert_eq!(maintenance.in_flight().count(), 0);
    }
}

#[tokio::test]
async fn d22_a_forced_route_without_the_fairing_answers_nobody() {
    let site = client(quiet().mount("/", force_on(routes![shut]))).await;
    assert_eq!(status(&site, "/shut").await, 503);
    let site = client(quiet().mount("/", force_off(routes![shut]))).await;
    assert_eq!(status(&site, "/shut").await, 200);
}

#[tokio::test]
async fn d22_control_is_open_by_the_routes_identity() {
    let maintenance = closed(Config::new()).await;
    let site = site(&maintenance, control(routes![page])).await;
    assert_eq!(
        ask(&site, "/open").await,
        (200, "open because of control".to_owned())
    );
    assert_eq!(status(&site, "/open/more").await, 503);
}
