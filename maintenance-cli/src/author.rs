//! Who gives the order, and from where: for the log of changes.

use std::env;

use maintenance_mode::live::Author;

/// The operator: `by` if he says so, otherwise his login name, also behind `sudo`.
pub(crate) fn author(by: Option<String>) -> Author {
    Author {
        by: by.or_else(login),
        via: Some(match host() {
            Some(host) => format!("cli@{host}"),
            None => "cli".to_owned(),
        }),
    }
}

fn login() -> Option<String> {
    ["SUDO_USER", "USER", "LOGNAME", "USERNAME"]
        .iter()
        .filter_map(|name| env::var(name).ok())
        .find(|value| !value.trim().is_empty())
        .or_else(user_number)
}

#[cfg(unix)]
fn user_number() -> Option<String> {
    Some(format!("uid {}", rustix::process::getuid().as_raw()))
}

#[cfg(not(unix))]
const fn user_number() -> Option<String> {
    None
}

#[cfg(unix)]
fn host() -> Option<String> {
    let name = rustix::system::uname();
    let host = name.nodename().to_string_lossy().into_owned();
    (!host.is_empty()).then_some(host)
}

#[cfg(not(unix))]
fn host() -> Option<String> {
    env::var("COMPUTERNAME").ok()
}
