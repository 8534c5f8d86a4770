//! The frame of every page, with the banner.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header::ContentType};
use maintenance_mode_actix::MaintenanceStatus;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
    nav a{margin-right:1rem}.banner{padding:.6rem 1rem;border:1px solid;border-radius:.4rem}\
    label{display:block;margin:.5rem 0}";

/// A page. `body` is HTML.
pub(crate) fn page(
    status: StatusCode,
    title: &str,
    maintenance: &MaintenanceStatus,
    body: &str,
) -> HttpResponse {
    let banner = banner(maintenance)
        .map(|text| format!("<p class=\"banner\" role=\"status\">{}</p>", escape(&text)))
        .unwrap_or_default();
    let title = escape(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} · Corner Shop</title>\
         <style>{STYLE}</style></head><body>\
         <nav><a href=\"/\">Shop</a><a href=\"/admin/\">Admin</a><a href=\"/login\">Log in</a>\
         <a href=\"/status-banner\">Status</a></nav>\
         {banner}<h1>{title}</h1>{body}</body></html>\n"
    );
    HttpResponse::build(status)
        .content_type(ContentType::html())
        .body(html)
}

/// What a visitor should know: that the site is closed for others, or will be.
pub(crate) fn banner(maintenance: &MaintenanceStatus) -> Option<String> {
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
pub(crate) fn escape(text: &str) -> String {
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
