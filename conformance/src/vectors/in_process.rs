//! The vectors through a middleware, in process, where each may have the peer that it wants.

use std::collections::BTreeMap;
use std::net::IpAddr;

use maintenance_mode::{Config, Maintenance, Mode, On, Peer, SiteName};

use super::{Case, Expected, all};
use crate::backend_suite::{Broken, broken};
use crate::ensure;

/// What a case may have that is about another framework's view of a request.
const OTHER_VIEWS: [&str; 4] = [
    "routed_path",
    "effective_method",
    "inner_path",
    "proxy_protocol",
];

impl Case {
    /// The other end of the case's connection.
    #[must_use]
    pub fn peer(&self) -> Peer {
        match self.request["peer"].as_str() {
            Some("unix") => Peer::Unix,
            peer => peer.and_then(|peer| peer.parse::<IpAddr>().ok()).into(),
        }
    }

    /// A live switch that stands as the case says.
    ///
    /// # Errors
    ///
    /// The configuration or a switch is refused.
    pub async fn maintenance(&self) -> Result<Maintenance, Broken> {
        let config = Config::from_toml(&self.config).map_err(|error| broken(error.to_string()))?;
        let maintenance = Maintenance::start(config.backend("memory:"))
            .await
            .map_err(|error| broken(error.to_string()))?;
        let mut by_mode: BTreeMap<Mode, Vec<SiteName>> = BTreeMap::new();
        for (site, mode) in &self.modes {
            by_mode.entry(*mode).or_default().push(site.clone());
        }
        by_mode.remove(&Mode::Online);
        for (mode, sites) in by_mode {
            maintenance.on(&sites, &On::mode(mode)).await?;
        }
        Ok(maintenance)
    }
}

/// Asks about every case. `reaches` says whether its request reaches the application; `None`, if the
/// framework's parser hands on no such request.
///
/// # Errors
///
/// The cases that came out otherwise, or that hardly any was asked about.
pub async fn in_process(
    mut reaches: impl AsyncFnMut(&Case, Maintenance) -> Option<bool>,
) -> Result<(), Broken> {
    let (mut tried, mut left_out) = (0, 0);
    let mut failures = Vec::new();
    for case in all().map_err(|error| broken(error.to_string()))? {
        let expected = case.via_http_crate.unwrap_or(case.expected);
        let Expected::Verdict { allowed, .. } = expected else {
            ensure!(case.policy().is_err(), "{}: no complaint", case.id);
            continue;
        };
        if OTHER_VIEWS.iter().any(|key| !case.request[*key].is_null()) {
            left_out += 1;
            continue;
        }
        match reaches(&case, case.maintenance().await?).await {
            None => left_out += 1,
            Some(reached) => {
                tried += 1;
                if reached != allowed {
                    failures.push(format!("{} ({}): expected {allowed}", case.id, case.why));
                }
            }
        }
    }
    println!("{tried} tried, {left_out} are nothing that the framework hands on");
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    ensure!(tried > 600, "only {tried}");
    Ok(())
}
