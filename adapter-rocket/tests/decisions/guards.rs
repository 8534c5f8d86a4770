//! The guard that closes a handler, and what happens without a fairing.

use maintenance_mode::Config;
use maintenance_mode_rocket::{ForcedOn, MaintenanceFairing, MaintenanceStatus, Refused, Verdict};
use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::http::Header;
use rocket::local::asynchronous::Client;
use rocket::{Request, Response, catch, catchers, get, routes};

use super::{ask, client, maintenance, quiet};

#[get("/reports")]
fn reports(_closed: ForcedOn) -> &'static str {
    "handler reached"
}

#[get("/lenient")]
fn lenient(closed: Result<ForcedOn, Refused>) -> String {
    format!("{}", closed.unwrap_err())
}

#[get("/status")]
fn status(status: MaintenanceStatus) -> String {
    status.reason().to_string()
}

#[catch(503)]
fn unavailable() -> &'static str {
    "the application's own catcher"
}

#[tokio::test]
async fn d22_a_guard_closes_a_handler_with_the_answer_of_everywhere() {
    let maintenance = maintenance(Config::new()).await;
    let verdict = AdHoc::on_response(
        "Verdict",
        |request: &Request<'_>, response: &mut Response<'_>| {
            let verdict = Verdict::of(request).map(|verdict| verdict.to_string());
            response.set_header(Header::new("X-Verdict", verdict.unwrap_or_default()));
            Box::pin(std::future::ready(()))
        },
    );
    let site = quiet()
        .attach(MaintenanceFairing::new(maintenance.clone()))
        .attach(verdict)
        .register("/", catchers![unavailable])
        .mount("/", routes![reports, lenient]);
    let site = client(site).await;
    for path in ["/reports", "/%72eports", "//reports/"] {
        let response = site.get(path).dispatch().await;
        assert_eq!(response.status().code, 503, "{path}");
        let field = |name| response.headers().get_one(name);
        assert_eq!(field("X-Maintenance"), Some("1"));
        assert_eq!(field("Content-Type"), Some("text/html; charset=utf-8"));
        assert_eq!(field("X-Verdict"), Some("force_on"));
        assert_eq!(
            maintenance.in_flight().count(),
            0,
            "blocked requests do not count"
        );
        let length = response.body().preset_size();
        let text = response.into_string().await.unwrap();
        assert_eq!(Some(text.len()), length);
        assert!(
            !text.contains("handler reached") && !text.contains("own catcher"),
            "{text}"
        );
    }
    let head = site.head("/reports").dispatch().await;
    assert_eq!(head.status().code, 503);
    assert!(head.body().preset_size() > Some(0));

    let (status, text) = ask(&site, "/lenient").await;
    assert_eq!(
        (status, text.contains("closed in every mode")),
        (200, true),
        "{text}"
    );
}

#[tokio::test]
async fn d18_a_guard_without_the_fairing_does_not_launch() {
    for routes in [routes![reports], routes![status]] {
        let error = Client::untracked(quiet().mount("/", routes))
            .await
            .unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::SentinelAborts(_)),
            "{error:?}"
        );
    }
}
