//! The status guard.

use maintenance_mode::state::Message;
use maintenance_mode::{Config, Maintenance, On, SiteName};
use maintenance_mode_rocket::{MaintenanceFairing, MaintenanceStatus};
use rocket::http::Header;
use rocket::local::asynchronous::Client;
use rocket::{catch, catchers, get, routes};

use super::{ask, client, closed, maintenance, quiet};

#[get("/status")]
fn show(status: MaintenanceStatus) -> String {
    format!(
        "{} {} {} {}",
        status.site(),
        status.mode().as_str(),
        status.reason(),
        status.message().map_or("-", Message::as_str),
    )
}

#[catch(404)]
async fn missing(request: &rocket::Request<'_>) -> String {
    match request.guard::<MaintenanceStatus>().await.succeeded() {
        Some(status) => format!("nothing here, and {}", status.mode().as_str()),
        None => "no status".to_owned(),
    }
}

async fn site(maintenance: &Maintenance) -> Client {
    let fairing = MaintenanceFairing::new(maintenance.clone());
    let site = quiet().attach(fairing).mount("/", routes![show]);
    client(site.register("/", catchers![missing])).await
}

#[tokio::test]
async fn d18_it_shows_what_the_fairing_saw() {
    let config = Config::new().allow_path("/status").allow_path("/else");
    let maintenance = maintenance(config).await;
    let site = site(&maintenance).await;
    assert_eq!(ask(&site, "/status").await.1, "default online online -");

    let message = Message::new("back at noon").ok();
    let order = On::default().message(message);
    maintenance
        .on(&[SiteName::default()], &order)
        .await
        .unwrap();
    assert_eq!(
        ask(&site, "/status").await.1,
        "default offline path back at noon"
    );
    assert_eq!(ask(&site, "/else").await.1, "nothing here, and offline");
}

#[tokio::test]
async fn d18_a_head_that_becomes_a_get_shows_the_same() {
    let site = site(&closed(Config::new().allow_path("/status")).await).await;
    let response = site.head("/status").dispatch().await;
    assert_eq!(
        response.body().preset_size(),
        Some("default offline path -".len())
    );
}

#[tokio::test]
async fn d18_it_speaks_of_the_site_that_was_asked() {
    let config = Config::from_toml(
        "[sites.shop]\nhosts = [\"shop.example\"]\nmode = \"offline\"\n\
         [sites.shop.allow]\npaths = [\"/status\"]\n[host]\nunknown = \"open\"",
    );
    let maintenance = maintenance(config.unwrap()).await;
    let site = site(&maintenance).await;
    let of = async |host: &'static str| {
        let request = site.get("/status").header(Header::new("Host", host));
        request.dispatch().await.into_string().await.unwrap()
    };
    assert_eq!(of("shop.example").await, "shop offline path -");
    assert_eq!(of("other.example").await, "default online online -");
}
