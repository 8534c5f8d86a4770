//! The status filter.

use maintenance_mode::state::Message;
use maintenance_mode::{Config, Maintenance, Mode, On, RequestStatus, SiteName};
use maintenance_mode_warp::MaintenanceFilters;
use warp::http::header::HOST;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::{close, maintenance, request, text};

// warp hands every extracted value over.
#[expect(clippy::needless_pass_by_value)]
fn show(status: RequestStatus) -> String {
    format!(
        "{} {} {} {}",
        status.site(),
        status.mode().as_str(),
        status.reason(),
        status.message().map_or("-", Message::as_str),
    )
}

/// Each route shows the status, `/later` after something else has run.
fn site(
    maintenance: &Maintenance,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + use<> {
    let filters = MaintenanceFilters::new(maintenance.clone());
    let at_once = warp::path!("status").and(filters.status()).map(show);
    let later = warp::path!("later")
        .then(|| async { tokio::time::sleep(std::time::Duration::from_millis(20)).await })
        .and(filters.status())
        .map(|(), status| show(status));
    let forced = warp::path("forced").and(filters.force_off(filters.status().map(show)));
    forced.or(filters.guard(at_once.or(later))).unify()
}

async fn shown<F>(site: &F, path: &str) -> String
where
    F: Filter<Extract = (Response,), Error = Rejection> + 'static,
{
    text(&request(path).reply(site).await).to_owned()
}

#[tokio::test]
async fn d18_it_shows_what_the_guard_saw() {
    let config = Config::new().allow_path("/status").allow_path("/later");
    let maintenance = maintenance(config).await;
    let site = site(&maintenance);
    assert_eq!(shown(&site, "/status").await, "default online online -");

    let order = On::default().message(Message::new("back at noon").ok());
    let sites = [SiteName::default()];
    maintenance.on(&sites, &order).await.unwrap();
    let expected = "default offline path back at noon";
    assert_eq!(shown(&site, "/status").await, expected);
    assert_eq!(
        shown(&site, "/forced").await,
        "default offline force_off back at noon"
    );

    // Also if the state changes while the request runs, and among others that run.
    let opening = async {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        super::open(&maintenance).await;
        shown(&site, "/later").await
    };
    let (before, after) = tokio::join!(shown(&site, "/later"), opening);
    assert_eq!(before, expected);
    assert_eq!(after, "default online online -");
}

#[tokio::test]
async fn d18_it_asks_the_handle_where_no_guard_is() {
    let maintenance = maintenance(Config::new()).await;
    close(&maintenance, Mode::ReadOnly).await;
    let status = MaintenanceFilters::new(maintenance).status();
    let site = warp::path::end().and(status).map(show);
    let response = request("/").reply(&site).await;
    assert_eq!(text(&response), "default read_only online -");
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
        let response = request("/status").header(HOST, host).reply(&site).await;
        assert_eq!(text(&response), expected);
    }
}
