//! Answers as actix sends them.

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::{Method, header};
use actix_web::test::{self, TestRequest};
use actix_web::{App, web};
use maintenance_mode::{AnswerConfig, Config, Maintenance, Mode, Reason};
use maintenance_mode_actix::{MaintenanceMw, Verdict};

use super::{close, closed, get, maintenance, open, site};

#[actix_web::test]
async fn an_open_site_is_left_alone() {
    let site = site(MaintenanceMw::new(maintenance(Config::new()).await)).await;
    let response = test::call_service(&site, TestRequest::with_uri("/").to_request()).await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("x-maintenance"));
    assert_eq!(Verdict::of(&response), None);
    assert_eq!(get(&site, "/nowhere").await.0, 404);
}

#[actix_web::test]
async fn d26_a_closed_site_answers_for_every_path_known_or_not() {
    let site = site(MaintenanceMw::new(closed(Config::new()).await)).await;
    for path in ["/", "/open", "/nowhere", "/users/7", "/a//b", "/%2e%2e"] {
        let response = test::call_service(&site, TestRequest::with_uri(path).to_request()).await;
        assert_eq!(response.status(), 503, "{path}");
        assert_eq!(response.headers().get("x-maintenance").unwrap(), "1");
        assert_eq!(
            response.headers().get(header::CACHE_CONTROL).unwrap(),
            "no-store"
        );
        assert!(
            response.headers().contains_key(header::RETRY_AFTER),
            "{path}"
        );
        let verdict = Verdict::of(&response).unwrap();
        assert_eq!(
            (verdict.reason, verdict.is_blocked()),
            (Reason::Offline, true)
        );
        assert_eq!(verdict.to_string(), "offline");
    }
}

#[actix_web::test]
async fn the_switch_is_seen_by_the_next_request() {
    let maintenance = maintenance(Config::new()).await;
    let site = site(MaintenanceMw::new(maintenance.clone())).await;
    assert_eq!(get(&site, "/").await, (200, "hello".to_owned()));
    close(&maintenance, Mode::Offline).await;
    assert_eq!(get(&site, "/").await.0, 503);
    open(&maintenance).await;
    assert_eq!(get(&site, "/").await.0, 200);
}

#[actix_web::test]
async fn head_has_the_length_of_get_and_no_body() {
    let site = site(MaintenanceMw::new(closed(Config::new()).await)).await;
    let ask = |method| TestRequest::with_uri("/").method(method).to_request();
    let from_get = test::call_service(&site, ask(Method::GET)).await;
    let from_head = test::call_service(&site, ask(Method::HEAD)).await;
    assert_eq!(from_head.status(), from_get.status());
    let size = from_get.response().body().size();
    assert!(matches!(size, BodySize::Sized(length) if length > 0));
    assert_eq!(from_head.response().body().size(), size);
    let names = |headers: &header::HeaderMap| {
        let mut names: Vec<String> = headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(names(from_get.headers()), names(from_head.headers()));
    assert!(test::read_body(from_head).await.is_empty());
}

#[actix_web::test]
async fn head_keeps_its_length_through_a_layer_that_boxes_bodies() {
    let maintenance = closed(Config::new()).await;
    let app = App::new()
        .wrap(MaintenanceMw::new(maintenance))
        .wrap_fn(|request, next| {
            let response = actix_web::dev::Service::call(&next, request);
            async { Ok(response.await?.map_into_boxed_body()) }
        });
    let site = test::init_service(app).await;
    let head = TestRequest::default().method(Method::HEAD).to_request();
    let response = test::call_service(&site, head).await;
    assert!(matches!(response.response().body().size(), BodySize::Sized(length) if length > 0));
}

#[actix_web::test]
async fn two_frameworks_cannot_spoil_each_others_fields() {
    // Somebody else has put a type of his own into the answer's only place.
    let maintenance = closed(Config::new()).await;
    let facts = maintenance_mode::Facts::new("GET", "/");
    if let maintenance_mode::Decision::Block(block) = maintenance.decide(&facts) {
        assert_eq!(block.answer(&facts).prepared().cache(|_| 7_u8), Some(&7));
    }
    let site = site(MaintenanceMw::new(maintenance)).await;
    let response = test::call_service(&site, TestRequest::default().to_request()).await;
    assert_eq!(response.headers().get("x-maintenance").unwrap(), "1");
    assert_eq!(
        response.headers().get("cdn-cache-control").unwrap(),
        "no-store"
    );
}

#[actix_web::test]
async fn a_status_and_a_redirect_of_the_policy_arrive() {
    let answer = AnswerConfig {
        format: Some(maintenance_mode::answer::FormatChoice::Redirect),
        redirect: Some("/closed".into()),
        ..AnswerConfig::default()
    };
    let maintenance = closed(Config::new().answer(answer)).await;
    let site = site(MaintenanceMw::new(maintenance)).await;
    let response = test::call_service(&site, TestRequest::with_uri("/").to_request()).await;
    assert!(response.status().is_redirection(), "{}", response.status());
    assert!(
        response
            .headers()
            .get(header::LOCATION)
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("/closed")
    );
    // The target is open, and not a page of this application.
    assert_eq!(get(&site, "/closed").await.0, 404);
}

#[actix_web::test]
async fn a_peer_is_the_sockets_and_never_a_headers() {
    let config = Config::new().allow_address("192.0.2.7");
    let maintenance = closed(config).await;
    let site_of =
        async |maintenance: &Maintenance| site(MaintenanceMw::new(maintenance.clone())).await;
    let site = site_of(&maintenance).await;
    let from = |peer: &str| TestRequest::default().peer_addr(peer.parse().unwrap());
    let status = async |request: TestRequest| {
        test::call_service(&site, request.to_request())
            .await
            .status()
            .as_u16()
    };
    assert_eq!(status(from("192.0.2.7:4711")).await, 200);
    assert_eq!(status(from("192.0.2.8:4711")).await, 503);
    let forged = from("192.0.2.8:4711").insert_header(("x-forwarded-for", "192.0.2.7"));
    assert_eq!(status(forged).await, 503);
    assert_eq!(status(TestRequest::default()).await, 503);

    let told = MaintenanceMw::new(maintenance.clone())
        .peer(|_| maintenance_mode::Peer::Addr("192.0.2.7".parse().unwrap()));
    let site = super::site(told).await;
    assert_eq!(get(&site, "/").await.0, 200);
}

#[actix_web::test]
async fn a_unix_socket_is_trusted_only_where_the_author_says_that_there_is_one() {
    let config = Config::from_toml(
        "[client_ip]\nsource = \"x-forwarded-for\"\ntrust_unix = true\n[allow]\naddresses = [\"192.0.2.7\"]",
    );
    let maintenance = closed(config.unwrap()).await;
    let forwarded = || {
        let request = TestRequest::default();
        request
            .insert_header(("x-forwarded-for", "192.0.2.7"))
            .to_request()
    };
    let tcp = site(MaintenanceMw::new(maintenance.clone())).await;
    assert_eq!(test::call_service(&tcp, forwarded()).await.status(), 503);
    let unix = site(MaintenanceMw::new(maintenance).unix_socket()).await;
    assert_eq!(test::call_service(&unix, forwarded()).await.status(), 200);
}

#[actix_web::test]
async fn tests_are_what_the_author_says() {
    let maintenance = closed(Config::new().allow_tests(true)).await;
    let under_test = site(MaintenanceMw::new(maintenance.clone()).test_mode(true)).await;
    assert_eq!(get(&under_test, "/").await.0, 200);
    let in_service = site(MaintenanceMw::new(maintenance)).await;
    assert_eq!(get(&in_service, "/").await.0, 503);
}

#[actix_web::test]
async fn on_a_scope_rules_see_the_full_path() {
    let maintenance = closed(Config::new().allow_path("/api/open")).await;
    let scope = web::scope("/api")
        .wrap(MaintenanceMw::new(maintenance))
        .route("/open", web::get().to(async || "open"))
        .route("/shut", web::get().to(async || "shut"));
    let site = test::init_service(App::new().service(scope)).await;
    assert_eq!(get(&site, "/api/open").await.0, 200);
    assert_eq!(get(&site, "/api/shut").await.0, 503);
    assert_eq!(get(&site, "/elsewhere").await.0, 404);
}

#[actix_web::test]
async fn a_rule_must_admit_what_the_router_reads_as_well() {
    // `[^a].*` admits `/x/%61bc` on the wire, and actix routes it to `/x/abc`.
    let config = Config::new().allow_path(maintenance_mode::PathRuleConfig::regex("/x/[^a].*"));
    let site = site(MaintenanceMw::new(closed(config).await)).await;
    assert_eq!(get(&site, "/x/bcd").await.0, 404);
    assert_eq!(get(&site, "/x/abc").await.0, 503);
    assert_eq!(get(&site, "/x/%61bc").await.0, 503);
    assert_eq!(get(&site, "/x/%62cd").await.0, 404);
}
