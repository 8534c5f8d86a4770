//! The status extractor.

use actix_web::test;
use actix_web::{App, Responder, web};
use maintenance_mode::state::Message;
use maintenance_mode::{Config, Mode, On, SiteName};
use maintenance_mode_actix::{MaintenanceMw, MaintenanceStatus};

use super::{close, get, maintenance};

async fn show(status: MaintenanceStatus) -> impl Responder {
    format!(
        "{} {} {} {}",
        status.site(),
        status.mode().as_str(),
        status.reason(),
        status.message().map_or("-", Message::as_str),
    )
}

#[actix_web::test]
async fn d18_it_shows_what_the_middleware_saw() {
    let maintenance = maintenance(Config::new().allow_path("/status")).await;
    let app = App::new()
        .app_data(maintenance.clone())
        .wrap(MaintenanceMw::new(maintenance.clone()))
        .route("/status", web::get().to(show));
    let site = test::init_service(app).await;
    let (_, text) = get(&site, "/status").await;
    assert_eq!(text, "default online online -");

    let message = Message::new("back at noon").ok();
    maintenance
        .on(&[SiteName::default()], &On::default().message(message))
        .await
        .unwrap();
    let (_, text) = get(&site, "/status").await;
    assert_eq!(text, "default offline path back at noon");
}

#[actix_web::test]
async fn d18_it_asks_the_handle_where_no_middleware_is() {
    let maintenance = maintenance(Config::new()).await;
    close(&maintenance, Mode::ReadOnly).await;
    let plain = App::new()
        .app_data(maintenance.clone())
        .route("/", web::get().to(show));
    let shared = App::new()
        .app_data(web::Data::new(maintenance.clone()))
        .route("/", web::get().to(show));
    let expected = (200, "default read_only online -".to_owned());
    assert_eq!(get(&test::init_service(plain).await, "/").await, expected);
    assert_eq!(get(&test::init_service(shared).await, "/").await, expected);
}

#[actix_web::test]
async fn d18_without_a_handle_the_error_says_what_to_add() {
    let site = test::init_service(App::new().route("/", web::get().to(show))).await;
    let (status, text) = get(&site, "/").await;
    assert_eq!(status, 500);
    assert!(text.contains(".app_data(maintenance.clone())"), "{text}");
}

#[actix_web::test]
async fn d18_it_speaks_of_the_site_that_was_asked() {
    let config = Config::from_toml(
        "[sites.shop]\nhosts = [\"shop.example\"]\nmode = \"offline\"\n\
         [sites.shop.allow]\npaths = [\"/status\"]\n[host]\nunknown = \"open\"",
    );
    let maintenance = maintenance(config.unwrap()).await;
    let app = App::new()
        .app_data(maintenance.clone())
        .wrap(MaintenanceMw::new(maintenance))
        .route("/status", web::get().to(show));
    let site = test::init_service(app).await;
    let of = async |host: &'static str| {
        let request = test::TestRequest::with_uri("/status").insert_header(("host", host));
        let body = test::call_and_read_body(&site, request.to_request()).await;
        String::from_utf8(body.to_vec()).unwrap()
    };
    assert_eq!(of("shop.example").await, "shop offline path -");
    assert_eq!(of("other.example").await, "default online online -");
}
