//! The status extractor.

use maintenance_mode::state::Message;
use maintenance_mode::{Config, Maintenance, Mode, On, SiteName};
use maintenance_mode_poem::{MaintenanceMiddleware, MaintenanceStatus, StatusError};
use poem::http::Request as HttpRequest;
use poem::http::header::HOST;
use poem::{Endpoint, EndpointExt, Route, get, handler};

use super::{ask, close, get_at, maintenance, request, text};

#[handler]
async fn show(status: MaintenanceStatus) -> String {
    format!(
        "{} {} {} {}",
        status.site(),
        status.mode().as_str(),
        status.reason(),
        status.message().map_or("-", Message::as_str),
    )
}

fn site(maintenance: &Maintenance) -> impl Endpoint + use<> {
    Route::new()
        .nest("/in", Route::new().at("/status", get(show)))
        .data(maintenance.clone())
        .with(MaintenanceMiddleware::new(maintenance.clone()))
}

#[tokio::test]
async fn d18_the_status_is_what_the_gate_saw() {
    let maintenance = maintenance(Config::new().allow_path("/in/status")).await;
    let site = site(&maintenance);
    let shown = text(get_at(&site, "/in/status").await).await;
    assert_eq!(shown, "default online online -");

    let order = On::default().message(Message::new("back at noon").ok());
    maintenance
        .on(&[SiteName::default()], &order)
        .await
        .unwrap();
    let shown = text(get_at(&site, "/in/status").await).await;
    assert_eq!(shown, "default offline path back at noon");
}

#[tokio::test]
async fn d18_it_asks_the_handle_where_no_gate_is() {
    let maintenance = maintenance(Config::new()).await;
    close(&maintenance, Mode::ReadOnly).await;
    let site = Route::new().at("/", get(show)).data(maintenance.clone());
    let shown = text(get_at(&site, "/").await).await;
    assert_eq!(shown, "default read_only online -");
}

#[tokio::test]
async fn d18_it_speaks_of_the_site_that_was_asked() {
    let config = Config::from_toml(
        "[sites.shop]\nhosts = [\"shop.example\"]\nmode = \"offline\"\n\
         [sites.shop.allow]\npaths = [\"/in/status\"]\n[host]\nunknown = \"open\"",
    );
    let site = site(&maintenance(config.unwrap()).await);
    for (host, expected) in [
        ("shop.example", "shop offline path -"),
        ("other.example", "default online online -"),
    ] {
        let asked = request(HttpRequest::get("/in/status").header(HOST, host));
        assert_eq!(text(ask(&site, asked).await).await, expected);
    }
}

#[tokio::test]
async fn d18_a_missing_handle_is_told_with_the_cure() {
    let gate = MaintenanceMiddleware::new(maintenance(Config::new()).await);
    let site = Route::new().at("/", get(show)).with(gate);
    let error = site.call(request(HttpRequest::get("/"))).await.unwrap_err();
    assert_eq!(
        error.downcast_ref::<StatusError>(),
        Some(&StatusError::NoHandle)
    );
    let response = error.into_response();
    assert_eq!(response.status(), 500);
    assert!(text(response).await.contains(".data(maintenance.clone())"));
}
