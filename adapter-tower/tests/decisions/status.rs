//! The status extractor.

use axum::Router;
use axum::routing::get;
use http::header::HOST;
use maintenance_mode::state::Message;
use maintenance_mode::{Config, Maintenance, Mode, On, SiteName};
use maintenance_mode_tower::{MaintenanceLayer, MaintenanceStatus};

use super::{ask, close, maintenance, request, text};

async fn show(status: MaintenanceStatus) -> String {
    format!(
        "{} {} {} {}",
        status.site(),
        status.mode().as_str(),
        status.reason(),
        status.message().map_or("-", Message::as_str),
    )
}

fn site(maintenance: &Maintenance) -> Router {
    Router::new()
        .route("/status", get(show))
        .with_state(maintenance.clone())
        .layer(MaintenanceLayer::new(maintenance.clone()))
}

#[tokio::test]
async fn d18_it_shows_what_the_layer_saw() {
    let maintenance = maintenance(Config::new().allow_path("/status")).await;
    let site = site(&maintenance);
    let shown = text(ask(&site, request("/status")).await).await;
    assert_eq!(shown, "default online online -");

    let order = On::default().message(Message::new("back at noon").ok());
    maintenance
        .on(&[SiteName::default()], &order)
        .await
        .unwrap();
    let shown = text(ask(&site, request("/status")).await).await;
    assert_eq!(shown, "default offline path back at noon");
}

#[tokio::test]
async fn d18_it_asks_the_handle_where_no_layer_is() {
    let maintenance = maintenance(Config::new()).await;
    close(&maintenance, Mode::ReadOnly).await;
    let site = Router::new()
        .route("/", get(show))
        .with_state(maintenance.clone());
    let shown = text(ask(&site, request("/")).await).await;
    assert_eq!(shown, "default read_only online -");
    let (parts, _) = request("/").into_parts();
    assert_eq!(
        MaintenanceStatus::of(&parts, &maintenance).mode(),
        Mode::ReadOnly
    );
}

#[tokio::test]
async fn d18_it_speaks_of_the_site_that_was_asked() {
    let config = Config::from_toml(
        "[sites.shop]\nhosts = [\"shop.example\"]\nmode = \"offline\"\n\
         [sites.shop.allow]\npaths = [\"/status\"]\n[host]\nunknown = \"open\"",
    );
    let site = site(&maintenance(config.unwrap()).await);
    for (host, expected) in [
        ("shop.example", "shop offline path -"),
        ("other.example", "default online online -"),
    ] {
        let mut request = request("/status");
        request.headers_mut().insert(HOST, host.parse().unwrap());
        assert_eq!(text(ask(&site, request).await).await, expected);
    }
}
