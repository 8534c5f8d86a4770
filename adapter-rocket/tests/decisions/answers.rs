//! Answers as Rocket sends them.

use maintenance_mode::answer::FormatChoice;
use maintenance_mode::{AnswerConfig, Config, Decision, Facts, Maintenance, Mode, Peer};
use maintenance_mode_rocket::MaintenanceFairing;
use rocket::http::{ContentType, Header, Method};
use rocket::local::asynchronous::LocalResponse;
use rocket::routes;

use super::{ask, client, close, closed, home, maintenance, open, quiet, site, status};

#[tokio::test]
async fn an_open_site_is_left_alone() {
    let site = site(MaintenanceFairing::new(maintenance(Config::new()).await)).await;
    let response = site.get("/").dispatch().await;
    assert_eq!(response.status().code, 200);
    assert!(!response.headers().contains("x-maintenance"));
    assert_eq!(status(&site, "/nowhere").await, 404);
}

#[tokio::test]
async fn d26_a_closed_site_answers_for_every_path_known_or_not() {
    let site = site(MaintenanceFairing::new(closed(Config::new()).await)).await;
    for path in [
        "/",
        "/nowhere",
        "/users/7",
        "/a//b",
        "/%2e%2e",
        "//",
        "/%3C_..%3E?a&b",
    ] {
        for method in [
            Method::Get,
            Method::Post,
            Method::Options,
            Method::Trace,
            Method::Connect,
        ] {
            let response = site.req(method, path).dispatch().await;
            assert_eq!(response.status().code, 503, "{method} {path}");
            let field = |name| response.headers().get_one(name);
            assert_eq!(field("X-Maintenance"), Some("1"));
            assert_eq!(field("Cache-Control"), Some("no-store"));
            assert!(field("Retry-After").is_some(), "{path}");
        }
    }
}

#[tokio::test]
async fn the_switch_is_seen_by_the_next_request() {
    let maintenance = maintenance(Config::new()).await;
    let site = site(MaintenanceFairing::new(maintenance.clone())).await;
    assert_eq!(ask(&site, "/").await, (200, "hello".to_owned()));
    close(&maintenance, Mode::Offline).await;
    assert_eq!(status(&site, "/").await, 503);
    open(&maintenance).await;
    assert_eq!(status(&site, "/").await, 200);
}

#[tokio::test]
async fn a_copy_of_a_request_is_decided_anew() {
    // Rocket's test client lets copies share their request-local cache.
    let maintenance = maintenance(Config::new()).await;
    let site = site(MaintenanceFairing::new(maintenance.clone())).await;
    for method in [Method::Get, Method::Head] {
        let request = site.req(method, "/");
        open(&maintenance).await;
        assert_eq!(request.clone().dispatch().await.status().code, 200);
        close(&maintenance, Mode::Offline).await;
        for _ in 0..2 {
            let response = request.clone().dispatch().await;
            assert_eq!(response.status().code, 503, "{method}");
            assert_eq!(response.headers().get_one("x-maintenance"), Some("1"));
        }
        open(&maintenance).await;
        assert_eq!(request.dispatch().await.status().code, 200, "{method}");
    }
    assert_eq!(maintenance.in_flight().count(), 0);
}

fn names(response: &LocalResponse<'_>) -> Vec<String> {
    let mut names: Vec<_> = response
        .headers()
        .iter()
        .map(|field| field.name.to_string())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn head_has_the_length_of_get_and_no_body() {
    let site = site(MaintenanceFairing::new(closed(Config::new()).await)).await;
    let from_get = site.get("/").dispatch().await;
    let from_head = site.head("/").dispatch().await;
    assert_eq!(from_head.status(), from_get.status());
    let length = from_get.body().preset_size();
    assert!(length > Some(0), "{length:?}");
    assert_eq!(from_head.body().preset_size(), length);
    assert_eq!(names(&from_get), names(&from_head));
    assert_eq!(from_head.into_bytes().await.unwrap_or_default(), [0; 0]);
    assert_eq!(from_get.into_bytes().await.map(|body| body.len()), length);
}

#[tokio::test]
async fn the_answer_is_the_engines_and_rockets_fields_come_besides() {
    let maintenance = closed(Config::new()).await;
    let facts = Facts::new("GET", "/");
    let Decision::Block(block) = maintenance.decide(&facts) else {
        panic!("not closed");
    };
    let answer = block.answer(&facts);
    let site = site(MaintenanceFairing::new(maintenance)).await;
    let response = site.get("/").dispatch().await;
    assert_eq!(response.status().code, answer.status());
    answer.for_each_field(|name, value| {
        // Its value has jitter.
        if name != "retry-after" {
            let sent: Vec<_> = response.headers().get(name).map(str::as_bytes).collect();
            assert_eq!(sent, [value], "{name}");
        }
    });
    let mut others = names(&response);
    others.retain(|name| {
        let mut own = name.eq_ignore_ascii_case("retry-after");
        answer.for_each_field(|field, _| own |= field.eq_ignore_ascii_case(name));
        !own
    });
    assert_eq!(others, ["Permissions-Policy", "Server", "X-Frame-Options"]);
    assert_eq!(
        response.into_bytes().await.as_deref(),
        Some(&answer.body()[..])
    );
}

#[tokio::test]
async fn two_frameworks_cannot_spoil_each_others_fields() {
    // Somebody else has put a type of his own into the answer's only place.
    let maintenance = closed(Config::new()).await;
    let facts = Facts::new("GET", "/");
    if let Decision::Block(block) = maintenance.decide(&facts) {
        assert_eq!(block.answer(&facts).prepared().cache(|_| 7_u8), Some(&7));
    }
    let site = site(MaintenanceFairing::new(maintenance)).await;
    let response = site.get("/").dispatch().await;
    assert_eq!(
        response.headers().get_one("cdn-cache-control"),
        Some("no-store")
    );
}

#[tokio::test]
async fn a_redirect_of_the_policy_arrives() {
    let answer = AnswerConfig {
        format: Some(FormatChoice::Redirect),
        redirect: Some("/closed".into()),
        ..AnswerConfig::default()
    };
    let maintenance = closed(Config::new().answer(answer)).await;
    let site = site(MaintenanceFairing::new(maintenance)).await;
    let response = site.get("/").dispatch().await;
    assert!(
        response.status().class().is_redirection(),
        "{}",
        response.status()
    );
    let location = response.headers().get_one("location").unwrap();
    assert!(location.starts_with("/closed"), "{location}");
    // The target is open, and not a page of this application.
    assert_eq!(status(&site, "/closed").await, 404);
}

async fn from(
    maintenance: &Maintenance,
    peer: &str,
    fields: &[(&'static str, &'static str)],
) -> u16 {
    let site = site(MaintenanceFairing::new(maintenance.clone())).await;
    let mut request = site.get("/").remote(peer.parse().unwrap());
    for (name, value) in fields {
        request.add_header(Header::new(*name, *value));
    }
    request.dispatch().await.status().code
}

#[tokio::test]
async fn a_peer_is_the_sockets_and_never_a_headers() {
    let maintenance = closed(Config::new().allow_address("192.0.2.7")).await;
    assert_eq!(from(&maintenance, "192.0.2.7:4711", &[]).await, 200);
    assert_eq!(from(&maintenance, "192.0.2.8:4711", &[]).await, 503);
    // What Rocket's own `client_ip()` believes.
    for name in ["X-Real-IP", "X-Forwarded-For"] {
        let forged = [(name, "192.0.2.7")];
        assert_eq!(
            from(&maintenance, "192.0.2.8:4711", &forged).await,
            503,
            "{name}"
        );
    }
    let nobody = site(MaintenanceFairing::new(maintenance.clone())).await;
    assert_eq!(status(&nobody, "/").await, 503);
    let told =
        MaintenanceFairing::new(maintenance).peer(|_| Peer::Addr("192.0.2.7".parse().unwrap()));
    assert_eq!(status(&site(told).await, "/").await, 200);
}

#[tokio::test]
async fn tests_are_what_the_author_says() {
    let maintenance = closed(Config::new().allow_tests(true)).await;
    let under_test = MaintenanceFairing::new(maintenance.clone()).test_mode(true);
    assert_eq!(status(&site(under_test).await, "/").await, 200);
    let in_service = MaintenanceFairing::new(maintenance);
    assert_eq!(status(&site(in_service).await, "/").await, 503);
}

#[rocket::delete("/")]
fn remove() -> &'static str {
    "removed"
}

#[tokio::test]
async fn a_method_in_a_form_makes_no_unsafe_request_safe() {
    let maintenance = maintenance(Config::new()).await;
    let fairing = MaintenanceFairing::new(maintenance.clone());
    let site = client(quiet().attach(fairing).mount("/", routes![home, remove])).await;
    let ask = async |method, body: &'static str| {
        let request = site.req(method, "/").header(ContentType::Form).body(body);
        super::told(request.dispatch().await).await
    };
    assert_eq!(ask(Method::Post, "_method=delete").await.1, "removed");
    assert_eq!(ask(Method::Post, "_method=get&a=b").await.1, "hello");

    close(&maintenance, Mode::ReadOnly).await;
    assert_eq!(status(&site, "/").await, 200);
    // It would be a GET for the application, and a POST for everybody on the way.
    assert_eq!(ask(Method::Post, "_method=get&a=b").await.0, 503);
    assert_eq!(ask(Method::Post, "_method=delete").await.0, 503);
    assert_eq!(ask(Method::Get, "other=get").await.0, 200);
}

#[tokio::test]
async fn a_rule_must_admit_what_the_router_reads_as_well() {
    // `[^a].*` admits `/x/%61bc` on the wire, and Rocket routes it to `/x/abc`.
    let config = Config::new().allow_path(maintenance_mode::PathRuleConfig::regex("/x/[^a].*"));
    let site = site(MaintenanceFairing::new(closed(config).await)).await;
    assert_eq!(status(&site, "/x/bcd").await, 404);
    assert_eq!(status(&site, "/x/abc").await, 503);
    assert_eq!(status(&site, "/x/%61bc").await, 503);
    assert_eq!(status(&site, "/x/%62cd").await, 404);
}

#[tokio::test]
async fn the_last_of_several_fairings_decides() {
    let first = MaintenanceFairing::new(closed(Config::new()).await);
    let last = MaintenanceFairing::new(maintenance(Config::new()).await);
    let site = client(quiet().attach(first).attach(last).mount("/", routes![home])).await;
    assert_eq!(status(&site, "/").await, 200);
}
