//! Who asks.

use maintenance_mode::state::Message;
use maintenance_mode::{Mode, On};

use super::shown;
use crate::backend_suite::Broken;
use crate::ensure;
use crate::wire::{Site, Subject};

const CONFIG: &str = "backend = \"file:state.json\"\n\
    [allow]\npaths = [\"/login\"]\nroles = [\"staff\"]\n";

/// Staff may log in and go on while the site is closed.
///
/// # Errors
///
/// What was not kept.
pub fn lets_staff_in_and_nobody_else(subject: &Subject) -> Result<(), Broken> {
    let site = Site::start(subject.program(), CONFIG)?;
    site.close(&On::default())?;
    for (user, admitted) in [("staff", true), ("root", true), ("visitor", false)] {
        let cookie = site.log_in(user)?;
        let response = site.ask("GET", "/", &[("Cookie", &cookie)], "")?;
        let fits = if admitted {
            response.status == 200
        } else {
            response.is_closed()
        };
        ensure!(fits, "{user}: {}", shown(&response));
        ensure!(
            response.field("set-cookie").is_none(),
            "{user} lost his session: {}",
            shown(&response)
        );
    }
    let forged = site.ask("GET", "/", &[("Cookie", "sessionid=staff")], "")?;
    ensure!(forged.is_closed(), "a forged cookie: {}", shown(&forged));
    Ok(())
}

/// Whoever is blocked is logged out: his cookie expires, and his session is over when the site is back.
///
/// # Errors
///
/// What was not kept.
pub fn logs_visitors_out(subject: &Subject) -> Result<(), Broken> {
    let config = format!("{CONFIG}[logout]\nauthenticated = true\ncookies = [\"sessionid\"]\n");
    let site = Site::start(subject.program(), &config)?;
    let visitor = site.log_in("visitor")?;
    let staff = site.log_in("staff")?;
    let greets = |cookie: &str| -> Result<bool, Broken> {
        let page = site.ask("GET", "/", &[("Cookie", cookie)], "")?;
        Ok(page.text().contains("Welcome back"))
    };
    ensure!(
        greets(&visitor)? && greets(&staff)?,
        "the sessions do not work at all"
    );

    site.close(&On::default())?;
    let response = site.ask("GET", "/", &[("Cookie", &visitor)], "")?;
    let expired = response
        .values("set-cookie")
        .any(|cookie| cookie.starts_with("sessionid=;") && cookie.contains("Max-Age=0"));
    ensure!(response.is_closed() && expired, "{}", shown(&response));
    let admitted = site.ask("GET", "/", &[("Cookie", &staff)], "")?;
    ensure!(
        admitted.status == 200 && admitted.field("set-cookie").is_none(),
        "staff: {}",
        shown(&admitted)
    );

    site.open()?;
    ensure!(
        !greets(&visitor)?,
        "the visitor's session is still alive on the server"
    );
    ensure!(greets(&staff)?, "staff were logged out");
    Ok(())
}

/// While a site is closing, whoever was inside goes on, and the status tells him.
///
/// # Errors
///
/// What was not kept.
pub fn tells_those_inside_what_is_going_on(subject: &Subject) -> Result<(), Broken> {
    let site = Site::start(subject.program(), CONFIG)?;
    let before = site.log_in("visitor")?;
    let banner = site.get("/status-banner")?.text();
    ensure!(
        banner.contains("mode: online") && banner.contains("banner: -"),
        "online: {banner}"
    );

    // Sessions and activations are compared by the millisecond.
    std::thread::sleep(std::time::Duration::from_millis(5));
    let message = Message::new("Back at noon <soon>").ok();
    site.close(&On::mode(Mode::Pending).message(message))?;
    std::thread::sleep(std::time::Duration::from_millis(5));
    let inside = site.ask("GET", "/status-banner", &[("Cookie", &before)], "")?;
    let text = inside.text();
    let told = [
        "mode: pending",
        "reason: inside",
        "message: Back at noon <soon>",
    ]
    .iter()
    .all(|line| text.contains(line));
    ensure!(
        inside.status == 200 && told,
        "inside: {} {text}",
        shown(&inside)
    );
    let page = site.ask("GET", "/", &[("Cookie", &before)], "")?.text();
    ensure!(
        page.contains("Back at noon &lt;soon&gt;"),
        "the page's banner: {page}"
    );

    let late = site.log_in("visitor")?;
    let response = site.ask("GET", "/", &[("Cookie", &late)], "")?;
    ensure!(
        response.is_closed(),
        "a session from after the activation: {}",
        shown(&response)
    );
    Ok(())
}

/// Nobody is looked up while the site is online, nor where something cheaper decides; then each blocked
/// request looks its visitor up once.
///
/// # Errors
///
/// What was not kept.
pub fn d07_identify_is_called_only_when_needed(subject: &Subject) -> Result<(), Broken> {
    const BYPASS: (&str, &str) = ("X-Bypass", "a-long-enough-secret-value");
    let header = format!(
        "header = {{ name = \"{}\", value = \"{}\" }}\n",
        BYPASS.0, BYPASS.1
    );
    let site = Site::start(subject.program(), &format!("{CONFIG}{header}"))?;
    let visitor = site.log_in("visitor")?;
    let staff = site.log_in("staff")?;
    let lookups_of = |requests: &[(&str, &str, &str)]| -> Result<u64, Broken> {
        let before = site.lookups()?;
        for (method, target, cookie) in requests {
            let fields = [("Cookie", *cookie), ("Content-Length", "0")];
            site.ask(method, target, &fields, "")?;
        }
        Ok(site.lookups()? - before)
    };
    let everywhere = [
        ("GET", "/", visitor.as_str()),
        ("GET", "/", &staff),
        ("GET", "/nowhere", &visitor),
        ("POST", "/upload", &visitor),
        ("GET", "/status-banner", &visitor),
    ];
    let online = lookups_of(&everywhere)?;
    ensure!(online == 0, "{online} look-ups while the site is online");

    site.close(&On::mode(Mode::ReadOnly))?;
    let safe = lookups_of(&[("GET", "/", &visitor), ("GET", "/api/items", &visitor)])?;
    ensure!(
        safe == 0,
        "{safe} look-ups for safe methods of a read-only site"
    );

    site.close(&On::default())?;
    let decided = lookups_of(&[
        ("GET", "/healthz", &visitor),
        ("GET", "/login", &visitor),
        ("GET", "/maintenance/status", &visitor),
        ("GET", "/always-open", &visitor),
        ("GET", "/always-closed", &visitor),
    ])?;
    ensure!(
        decided == 0,
        "{decided} look-ups where something cheaper decided"
    );
    let before = site.lookups()?;
    let response = site.ask("GET", "/", &[BYPASS, ("Cookie", &visitor)], "")?;
    let bypassed = site.lookups()? - before;
    ensure!(
        bypassed == 0 && response.status == 200,
        "{bypassed} look-ups for a bypass: {}",
        shown(&response)
    );
    for (method, target, cookie) in everywhere {
        let needed = lookups_of(&[(method, target, cookie)])?;
        ensure!(
            needed == 1,
            "{needed} look-ups for {method} {target} on a closed site"
        );
    }

    let addresses =
        "mode = \"offline\"\n[allow]\naddresses = [\"127.0.0.1\"]\nroles = [\"staff\"]\n";
    for (config, what) in [
        (addresses, "an address that is exempt"),
        ("mode = \"offline\"\n", "rules that need no visitor"),
    ] {
        let site = Site::start(
            subject.program(),
            &format!("backend = \"memory:\"\n{config}"),
        )?;
        site.ask("GET", "/", &[("Cookie", &visitor)], "")?;
        let lookups = site.lookups()?;
        ensure!(lookups == 0, "{lookups} look-ups with {what}");
    }
    Ok(())
}
