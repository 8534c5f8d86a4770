//! Pages: the frame with the banner, and what stands in it.

use maintenance_mode::RequestStatus;

use crate::{Item, User};

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
    nav a{margin-right:1rem}.banner{padding:.6rem 1rem;border:1px solid;border-radius:.4rem}\
    label{display:block;margin:.5rem 0}";

/// The form that logs in.
pub const LOG_IN_FORM: &str = "<form method=\"post\" action=\"/login\">\
    <label>User <input name=\"user\" autocomplete=\"username\" required></label>\
    <label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label>\
    <button>Log in</button></form>\
    <p>Users of this demo: visitor, staff, root. The password is the name.</p>";

/// The form that logs out.
pub const LOG_OUT_FORM: &str =
    "<form method=\"post\" action=\"/logout\"><button>Log out</button></form>";

/// A page. `body` is HTML.
#[must_use]
pub fn page(title: &str, maintenance: &RequestStatus, body: &str) -> String {
    let banner = banner(maintenance)
        .map(|text| format!("<p class=\"banner\" role=\"status\">{}</p>", escape(&text)))
        .unwrap_or_default();
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} · Corner Shop</title>\
         <style>{STYLE}</style></head><body>\
         <nav><a href=\"/\">Shop</a><a href=\"/admin/\">Admin</a><a href=\"/login\">Log in</a>\
         <a href=\"/status-banner\">Status</a></nav>\
         {banner}<h1>{title}</h1>{body}</body></html>\n"
    )
}

/// What a visitor should know: that the site is closed for others, or will be.
#[must_use]
pub fn banner(maintenance: &RequestStatus) -> Option<String> {
    if !maintenance.is_online() {
        let message = maintenance
            .message()
            .map_or(String::new(), |message| format!(" {message}"));
        return Some(format!(
            "This site is {} for other visitors; you are let in because of: {}.{message}",
            maintenance.mode(),
            maintenance.reason(),
        ));
    }
    let (at, mode) = maintenance.view().next?;
    Some(format!("This site will be {mode} from {at}."))
}

/// Text for HTML.
fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut safe, c| {
            match c {
                '&' => safe.push_str("&amp;"),
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '\'' => safe.push_str("&#39;"),
                c => safe.push(c),
            }
            safe
        })
}

/// The front page, for whoever is logged in.
#[must_use]
pub fn front_page(user: Option<User>, items: &[Item], maintenance: &RequestStatus) -> String {
    let greeting = user.map_or_else(
        || "Welcome!".to_owned(),
        |user| format!("Welcome back, {}!", user.name()),
    );
    let items: String = items
        .iter()
        .map(|item| format!("<li>{}</li>", escape(&item.name)))
        .collect();
    let body = format!("<p>{greeting} Today on our shelves:</p><ul>{items}</ul>");
    page("Welcome", maintenance, &body)
}

/// The staff's page; `None` if the user is not staff.
#[must_use]
pub fn admin_page(user: User, maintenance: &RequestStatus) -> Option<String> {
    if !user.roles().contains(&"staff") {
        return None;
    }
    let body = format!(
        "<p>You are {}, with the roles {}.</p>",
        user.name(),
        user.roles().join(", ")
    );
    Some(page("Admin", maintenance, &body))
}

/// All that the status says, as lines of text.
#[must_use]
pub fn status_lines(maintenance: &RequestStatus) -> String {
    let ends_at = maintenance.ends_at().map(|at| at.to_string());
    let message = maintenance.message().map(ToString::to_string);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let lines = [
        ("site", maintenance.site().to_string()),
        ("mode", maintenance.mode().to_string()),
        ("reason", maintenance.reason().to_string()),
        ("message", or_dash(message)),
        ("ends_at", or_dash(ends_at)),
        ("banner", or_dash(banner(maintenance))),
    ];
    lines
        .iter()
        .map(|(key, value)| format!("{key}: {value}\n"))
        .collect()
}
