//! Which sites an order is for.

use maintenance_mode::SiteName;
use maintenance_mode::state::ActivationId;

use crate::arguments::Sites;
use crate::exit::Failure;
use crate::settings::Settings;

/// The sites that were named, each once; without sites in the configuration, the one that there is.
///
/// # Errors
///
/// An unknown site, one whose mode is pinned, or no word on which of several: closing the wrong one is the
/// accident to prevent.
pub(super) fn chosen(
    sites: &Sites,
    verb: &str,
    settings: &Settings,
) -> Result<Vec<SiteName>, Failure> {
    let chosen = named(sites, verb, settings)?;
    for site in &chosen {
        if let Some(mode) = settings.policy.pinned_mode(site) {
            let by = settings.pinned_by(site);
            return Err(Failure::usage(format!(
                "site `{site}` is pinned to {mode} by {by}; remove that to use the switch; nothing was done"
            )));
        }
    }
    Ok(chosen)
}

/// What opens a site again, and nobody else's maintenance.
pub(super) fn command_to_open(settings: &Settings, site: &SiteName, id: ActivationId) -> String {
    if settings.policy.config().sites.is_empty() {
        format!("maintenance off --if-activation {id}")
    } else {
        format!("maintenance off --site {site} --if-activation {id}")
    }
}

fn named(sites: &Sites, verb: &str, settings: &Settings) -> Result<Vec<SiteName>, Failure> {
    if sites.all_sites {
        return Ok(settings.policy.site_names().cloned().collect());
    }
    if sites.names.is_empty() {
        return if settings.policy.config().sites.is_empty() {
            Ok(vec![SiteName::default()])
        } else {
            Err(Failure::usage(format!(
                "which site? `{verb} --site NAME` for one of {}; `{verb} --all-sites` for all of them",
                settings.names()
            )))
        };
    }
    let mut names: Vec<SiteName> = Vec::new();
    for name in &sites.names {
        settings.known(name)?;
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}
